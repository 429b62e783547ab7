// The tools, resources and prompts that the conformance suite asks of a server, on the SDK's server in both eras. Long: it is the suite's list.

import { randomBytes } from "node:crypto";
import { setTimeout as pause } from "node:timers/promises";
import {
  CLIENT_CAPABILITIES_META_KEY,
  createRequestStateCodec,
  inputResponse,
  MissingRequiredClientCapabilityError,
  ProtocolError,
  ProtocolErrorCode,
  Server,
  type ClientCapabilities,
  type McpServerFactory,
  type Result,
  type ServerContext,
  type ServerNotifier,
} from "@modelcontextprotocol/server";

/** A red pixel, and a moment of silence. */
const png = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8DwHwAFBQIAX8jx0gAAAABJRU5ErkJggg==";
const wav = "UklGRiQAAABXQVZFZm10IBAAAAABAAEAQB8AAEAfAAABAAgAZGF0YQAAAAA=";

const text = (words: string): Result => ({ content: [{ type: "text", text: words }] });
const image = { type: "image", data: png, mimeType: "image/png" };
const resource = (uri: string, mimeType: string, words: string) => ({
  type: "resource",
  resource: { uri, mimeType, text: words },
});

const codec = createRequestStateCodec<{ readonly round: number }>({ key: randomBytes(32) });

type Tool = (ctx: ServerContext, arguments_: Record<string, unknown>, notify: ServerNotifier) => Promise<Result>;

const form = (message: string, properties: object, required: readonly string[] = []) => ({
  method: "elicitation/create",
  params: { mode: "form", message, requestedSchema: { type: "object", properties, required } },
});
const asked = {
  user_name: form("What is your name?", { name: { type: "string" } }, ["name"]),
  capital_question: {
    method: "sampling/createMessage",
    params: {
      messages: [{ role: "user", content: { type: "text", text: "What is the capital of France?" } }],
      maxTokens: 100,
    },
  },
  greeting: {
    method: "sampling/createMessage",
    params: { messages: [{ role: "user", content: { type: "text", text: "Generate a greeting" } }], maxTokens: 50 },
  },
  client_roots: { method: "roots/list", params: {} },
  confirm: form("Please confirm", { ok: { type: "boolean" } }, ["ok"]),
  step1: form("Step 1: What is your name?", { name: { type: "string" } }, ["name"]),
  step2: form("Step 2: What is your favorite color?", { color: { type: "string" } }, ["color"]),
  user_context: form("What context should the prompt use?", { context: { type: "string" } }, ["context"]),
} as const;
type Question = keyof typeof asked;

const ask = (questions: readonly Question[], requestState?: string): Result => ({
  resultType: "input_required",
  inputRequests: Object.fromEntries(questions.map((one) => [one, asked[one]])),
  ...(requestState === undefined ? {} : { requestState }),
});

/** What was accepted for a question, or null where it has to be asked again. */
function given(ctx: ServerContext, question: Question): unknown {
  const view = inputResponse(ctx.mcpReq.inputResponses, question);
  switch (view.kind) {
    case "missing":
      return null;
    case "elicit":
      return view.action === "accept" ? (view.content ?? null) : null;
    case "sampling":
      return view.result.content;
    case "roots":
      return view.roots;
  }
}

/** Asks one question, and answers with what came back. */
const asking =
  (question: Question, words: (answer: unknown) => string): Tool =>
  async (ctx) => {
    const answer = given(ctx, question);
    return answer === null ? ask([question]) : text(words(answer));
  };

/** Asks with sealed state, and goes on only where it came back as it was. */
const askingWithState =
  (questions: readonly Question[], words: string): Tool =>
  async (ctx) => {
    const state = await stateOf(ctx);
    const all = questions.every((one) => given(ctx, one) !== null);
    if (state === undefined || !all) return ask(questions, await codec.mint({ round: 1 }, ctx));
    return text(words);
  };

/** The state that came back, once its seal was looked at; undefined where none did. The low-level server checks nothing of it. */
async function stateOf(ctx: ServerContext): Promise<{ readonly round: number } | undefined> {
  const sealed = ctx.mcpReq.requestState<string>();
  if (sealed === undefined) return undefined;
  return await codec.verify(sealed, ctx).catch(() => {
    throw new ProtocolError(ProtocolErrorCode.InvalidParams, "Invalid or expired requestState");
  });
}

const field = (answer: unknown, name: string): string => String((answer as Record<string, unknown>)[name]);

async function multiRound(ctx: ServerContext): Promise<Result> {
  const state = await stateOf(ctx);
  if (state?.round === 2 && given(ctx, "step2") !== null) return text("both steps are done");
  if (state !== undefined && given(ctx, "step1") !== null) return ask(["step2"], await codec.mint({ round: 2 }, ctx));
  return ask(["step1"], await codec.mint({ round: 1 }, ctx));
}

/** What the client of this request says that it can do. */
function can(ctx: ServerContext): ClientCapabilities {
  const envelope: { readonly [key: string]: unknown } = { ...ctx.mcpReq.envelope };
  return envelope[CLIENT_CAPABILITIES_META_KEY] ?? {};
}

async function elicited(ctx: ServerContext, message: string, requestedSchema: object): Promise<Result> {
  // As part of the call, so that it goes out on the call's own stream: there is no other.
  const params = { mode: "form", message, requestedSchema };
  const answered = await ctx.mcpReq.send({ method: "elicitation/create", params });
  return text(`Elicitation completed: action=${answered.action}, content=${JSON.stringify(answered.content ?? {})}`);
}

const titles = (...values: readonly string[]) => values.map((one, at) => ({ const: one, title: `Option ${at + 1}` }));

const tools: { readonly [name: string]: Tool } = {
  test_simple_text: async () => text("This is a simple text response for testing."),
  test_image_content: async () => ({ content: [image] }),
  test_audio_content: async () => ({ content: [{ type: "audio", data: wav, mimeType: "audio/wav" }] }),
  test_embedded_resource: async () => ({
    content: [resource("test://embedded-resource", "text/plain", "This is an embedded resource content.")],
  }),
  test_multiple_content_types: async () => ({
    content: [
      { type: "text", text: "Multiple content types test:" },
      image,
      resource("test://mixed-content-resource", "application/json", JSON.stringify({ test: "data", value: 123 })),
    ],
  }),
  test_error_handling: async () => ({ ...text("This tool intentionally returns an error for testing"), isError: true }),
  async test_tool_with_progress(ctx) {
    const progressToken = ctx.mcpReq._meta?.progressToken;
    for (const progress of [0, 50, 100]) {
      if (progressToken !== undefined)
        await ctx.mcpReq.notify({ method: "notifications/progress", params: { progressToken, progress, total: 100 } });
      await pause(20);
    }
    return text("progress was told");
  },
  async test_tool_with_logging(ctx) {
    for (const words of ["Tool execution started", "Tool processing data", "Tool execution completed"]) {
      await ctx.mcpReq.log("info", words);
      await pause(20);
    }
    return text("three messages were logged");
  },
  async test_logging_tool(ctx) {
    await ctx.mcpReq.log("info", "only for who asked");
    return text("logged");
  },
  async test_sampling(ctx, { prompt }) {
    const content = { type: "text" as const, text: String(prompt) };
    const params = { messages: [{ role: "user", content }], maxTokens: 100 };
    const answered = await ctx.mcpReq.send({ method: "sampling/createMessage", params });
    return text(`LLM response: ${JSON.stringify(answered.content)}`);
  },
  async test_elicitation(ctx, { message }) {
    const properties = { username: { type: "string" }, email: { type: "string" } };
    return await elicited(ctx, String(message), { type: "object", properties, required: ["username", "email"] });
  },
  async test_elicitation_sep1034_defaults(ctx) {
    const properties = {
      name: { type: "string", default: "John Doe" },
      age: { type: "integer", default: 30 },
      score: { type: "number", default: 95.5 },
      status: { type: "string", enum: ["active", "inactive", "pending"], default: "active" },
      verified: { type: "boolean", default: true },
    };
    return await elicited(ctx, "Defaults", { type: "object", properties, required: [] });
  },
  async test_elicitation_sep1330_enums(ctx) {
    const properties = {
      untitledSingle: { type: "string", enum: ["option1", "option2", "option3"] },
      titledSingle: { type: "string", oneOf: titles("value1", "value2", "value3") },
      legacyEnum: {
        type: "string",
        enum: ["opt1", "opt2", "opt3"],
        enumNames: ["Option One", "Option Two", "Option Three"],
      },
      untitledMulti: { type: "array", items: { type: "string", enum: ["option1", "option2", "option3"] } },
      titledMulti: { type: "array", items: { anyOf: titles("value1", "value2", "value3") } },
    };
    return await elicited(ctx, "Enums", { type: "object", properties, required: [] });
  },
  async test_missing_capability(ctx) {
    if (can(ctx).sampling === undefined)
      throw new MissingRequiredClientCapabilityError({ requiredCapabilities: { sampling: {} } });
    return text("the client can sample");
  },
  test_streaming_elicitation: async () => ask(["user_name"]),
  async test_trigger_tool_change(_ctx, _arguments, notify) {
    notify.toolsChanged();
    return text("said so");
  },
  async test_trigger_prompt_change(_ctx, _arguments, notify) {
    notify.promptsChanged();
    return text("said so");
  },
  test_input_required_result_elicitation: asking("user_name", (answer) => `Hello, ${field(answer, "name")}!`),
  test_input_required_result_sampling: asking(
    "capital_question",
    (answer) => `The model says ${JSON.stringify(answer)}`,
  ),
  test_input_required_result_list_roots: asking("client_roots", (answer) => `Roots: ${JSON.stringify(answer)}`),
  test_input_required_result_request_state: askingWithState(["confirm"], "state-ok"),
  test_input_required_result_tampered_state: askingWithState(["confirm"], "state-ok"),
  test_input_required_result_multiple_inputs: askingWithState(
    ["user_name", "greeting", "client_roots"],
    "all came back",
  ),
  test_input_required_result_multi_round: multiRound,
  async test_input_required_result_capabilities(ctx) {
    const capabilities = can(ctx);
    const questions: Question[] = [
      ...(capabilities.elicitation === undefined ? [] : (["user_name"] as const)),
      ...(capabilities.sampling === undefined ? [] : (["capital_question"] as const)),
      ...(capabilities.roots === undefined ? [] : (["client_roots"] as const)),
    ];
    return questions.length === 0 ? text("this client can answer nothing") : ask(questions);
  },
};

const argumentsOf: { readonly [tool: string]: object } = {
  test_sampling: { properties: { prompt: { type: "string" } }, required: ["prompt"] },
  test_elicitation: { properties: { message: { type: "string" } }, required: ["message"] },
};

const prompts: { readonly [name: string]: readonly string[] } = {
  test_simple_prompt: [],
  test_prompt_with_arguments: ["arg1", "arg2"],
  test_prompt_with_embedded_resource: ["resourceUri"],
  test_prompt_with_image: [],
  test_input_required_result_prompt: [],
};

function prompt(ctx: ServerContext, name: string, given_: Record<string, string>): Result {
  const said = (...content: readonly object[]): Result => ({
    messages: content.map((one) => ({ role: "user", content: one })),
  });
  const words = (one: string) => ({ type: "text", text: one });
  switch (name) {
    case "test_simple_prompt":
      return said(words("This is a simple prompt for testing."));
    case "test_prompt_with_arguments":
      return said(words(`Prompt with arguments: arg1='${given_["arg1"]}', arg2='${given_["arg2"]}'`));
    case "test_prompt_with_embedded_resource":
      return said(
        resource(given_["resourceUri"] ?? "", "text/plain", "Embedded resource content for testing."),
        words("Please process the embedded resource above."),
      );
    case "test_prompt_with_image":
      return said(image, words("Please analyze the image above."));
    case "test_input_required_result_prompt": {
      const answer = given(ctx, "user_context");
      return answer === null ? ask(["user_context"]) : said(words(`Context: ${field(answer, "context")}`));
    }
    default:
      throw new ProtocolError(ProtocolErrorCode.InvalidParams, "Unknown prompt.");
  }
}

function read(uri: string): Result {
  const template = /^test:\/\/template\/([^/]+)\/data$/.exec(uri)?.[1];
  if (uri === "test://static-text" || uri === "test://watched-resource")
    return { contents: [{ uri, mimeType: "text/plain", text: "This is the content of the static text resource." }] };
  if (uri === "test://static-binary") return { contents: [{ uri, mimeType: "image/png", blob: png }] };
  if (template !== undefined) {
    const data = { id: template, templateTest: true, data: `Data for ID: ${template}` };
    return { contents: [{ uri, mimeType: "application/json", text: JSON.stringify(data) }] };
  }
  throw new ProtocolError(ProtocolErrorCode.InvalidParams, "Resource not found", { uri });
}

/** The server of one request or one session; `notify` tells who listens for changes. */
export function suiteServer(notify: () => ServerNotifier): McpServerFactory {
  return ({ requestInfo }) => {
    const server = new Server(
      { name: "sallyport-conformance", version: "0.0.0" },
      {
        capabilities: {
          tools: { listChanged: true },
          prompts: { listChanged: true },
          resources: { subscribe: true },
          completions: {},
          logging: {},
        },
      },
    );
    // As src/mcp/server.ts does it: a method that there is none of is left to the SDK.
    const method = requestInfo?.headers.get("mcp-method") ?? null;
    if (method !== null && !methods.includes(method)) return server;
    server.fallbackRequestHandler = async (request, ctx) => {
      const params = request.params ?? {};
      switch (request.method) {
        case "tools/list":
          return { tools: listed };
        case "tools/call": {
          const tool = tools[String(params["name"])];
          if (tool === undefined) throw new ProtocolError(ProtocolErrorCode.InvalidParams, "Unknown tool.");
          return await tool(ctx, (params["arguments"] ?? {}) as Record<string, unknown>, notify());
        }
        case "prompts/list":
          return {
            prompts: Object.entries(prompts).map(([name, names]) => ({
              name,
              description: `${name}.`,
              arguments: names.map((one) => ({ name: one, required: true })),
            })),
          };
        case "prompts/get":
          return prompt(ctx, String(params["name"]), (params["arguments"] ?? {}) as Record<string, string>);
        case "resources/list":
          return {
            resources: ["static-text", "static-binary", "watched-resource"].map((name) => ({
              uri: `test://${name}`,
              name,
              description: `${name}.`,
            })),
          };
        case "resources/templates/list":
          return {
            resourceTemplates: [
              { uriTemplate: "test://template/{id}/data", name: "template", description: "A template." },
            ],
          };
        case "resources/read":
          return read(String(params["uri"]));
        case "resources/subscribe":
        case "resources/unsubscribe":
          return {};
        case "completion/complete":
          return { completion: { values: ["paris", "park", "party"], total: 3, hasMore: false } };
        default:
          throw new ProtocolError(ProtocolErrorCode.MethodNotFound, "There is no such method here.");
      }
    };
    return server;
  };
}

const methods: readonly string[] = [
  "tools/list",
  "tools/call",
  "prompts/list",
  "prompts/get",
  "resources/list",
  "resources/templates/list",
  "resources/read",
  "completion/complete",
];

const listed = Object.keys(tools).map((name) => ({
  name,
  description: `${name}.`,
  inputSchema: { type: "object", ...argumentsOf[name] },
}));
