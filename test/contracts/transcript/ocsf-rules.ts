// The rules of OCSF 1.8 for the classes that are exported, written down from its schema: what must be there, of which type, with which values.

type Rule =
  | { readonly type: "string" | "boolean" | "timestamp" | "object" | "strings" }
  | { readonly type: "integer"; readonly among?: readonly number[] }
  | { readonly type: "shape" | "shapes"; readonly of: Shape };

interface Shape {
  readonly required: readonly string[];
  /** At least one of these must be there. */
  readonly oneOf?: readonly string[];
  /** Every attribute that we use; any other is a mistake. */
  readonly attributes: { readonly [name: string]: Rule };
}

const string: Rule = { type: "string" };
const integer: Rule = { type: "integer" };
const timestamp: Rule = { type: "timestamp" };
const among = (...ids: readonly number[]): Rule => ({ type: "integer", among: ids });
const shape = (of: Shape): Rule => ({ type: "shape", of });
const shapes = (of: Shape): Rule => ({ type: "shapes", of });

const product: Shape = {
  required: ["vendor_name"],
  oneOf: ["name", "uid"],
  attributes: { name: string, vendor_name: string, version: string, uid: string },
};
const user: Shape = {
  required: [],
  oneOf: ["account", "name", "uid"],
  attributes: { name: string, uid: string, domain: string, type_id: among(0, 1, 2, 3, 4, 99), credential_uid: string },
};
const session: Shape = {
  required: [],
  attributes: { uid: string, issuer: string, expiration_time: timestamp },
};
const endpoint: Shape = {
  required: [],
  oneOf: ["ip", "uid", "name", "hostname", "svc_name", "instance_uid", "interface_uid", "interface_name", "domain"],
  attributes: { name: string, uid: string },
};
const entity: Shape = {
  required: [],
  oneOf: ["name", "uid"],
  attributes: { name: string, uid: string, type: string },
};
const policy: Shape = { required: [], oneOf: ["name", "uid"], attributes: { name: string, uid: string } };

/** Base event, and what every class has of ours. */
const base: Shape = {
  required: ["activity_id", "category_uid", "class_uid", "type_uid", "severity_id", "time", "metadata"],
  attributes: {
    activity_id: integer,
    activity_name: string,
    category_uid: integer,
    class_uid: integer,
    type_uid: integer,
    severity_id: among(0, 1, 2, 3, 4, 5, 6, 99),
    time: timestamp,
    start_time: timestamp,
    count: integer,
    message: string,
    status_id: among(0, 1, 2, 99),
    status_code: string,
    status_detail: string,
    metadata: shape({
      required: ["version", "product"],
      attributes: {
        version: string,
        product: shape(product),
        uid: string,
        event_code: string,
        sequence: integer,
        log_name: string,
        original_time: string,
        correlation_uid: string,
        profiles: { type: "strings" },
      },
    }),
    actor: shape({
      required: [],
      oneOf: ["process", "user", "invoked_by", "session", "app_name", "app_uid"],
      attributes: { user: shape(user), app_name: string, app_uid: string, session: shape(session) },
    }),
    unmapped: { type: "object" },
  },
};

/** The security_control profile. */
const control: Shape["attributes"] = {
  action_id: among(0, 1, 2, 3, 4, 99),
  disposition_id: among(...Array.from({ length: 28 }, (_, id) => id), 99),
  policy: shape(policy),
  authorizations: shapes({ required: [], attributes: { decision: string, policy: shape(policy) } }),
  is_alert: { type: "boolean" },
};

/** By class: its category, its activities beside 0 and 99, and what it asks for. */
const classes: {
  readonly [uid: number]: Shape & { readonly activities: readonly number[]; readonly controlled: boolean };
} = {
  2004: {
    activities: [1, 2, 3],
    controlled: false,
    required: ["finding_info"],
    attributes: {
      status_id: among(0, 1, 2, 3, 4, 5, 6, 99),
      is_alert: { type: "boolean" },
      finding_info: shape({
        required: ["title", "uid"],
        attributes: {
          uid: string,
          title: string,
          created_time: timestamp,
          types: { type: "strings" },
          analytic: shape({
            required: ["type_id"],
            oneOf: ["name", "uid"],
            attributes: { name: string, type_id: among(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 99) },
          }),
        },
      }),
    },
  },
  3002: {
    activities: [1, 2, 3, 4, 5, 6, 7],
    controlled: true,
    required: ["user"],
    oneOf: ["service", "dst_endpoint"],
    attributes: { user: shape(user), service: shape(entity), session: shape(session), is_remote: { type: "boolean" } },
  },
  3003: {
    activities: [1, 2, 3],
    controlled: true,
    required: ["user"],
    oneOf: ["privileges", "groups", "iam_roles"],
    attributes: {
      user: shape(user),
      privileges: { type: "strings" },
      session: shape(session),
      dst_endpoint: shape(endpoint),
    },
  },
  3004: {
    activities: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13],
    controlled: true,
    required: ["entity"],
    attributes: { entity: shape(entity), comment: string },
  },
  3005: {
    activities: [1, 2, 3, 4],
    controlled: true,
    required: ["user", "privileges"],
    attributes: { user: shape(user), privileges: { type: "strings" } },
  },
  6002: {
    activities: [1, 2, 3, 4, 5, 6, 7, 8],
    controlled: false,
    required: ["app"],
    attributes: { app: shape(product) },
  },
  6003: {
    activities: [1, 2, 3, 4],
    controlled: true,
    required: ["actor", "api", "src_endpoint"],
    attributes: {
      api: shape({
        required: ["operation"],
        attributes: {
          operation: string,
          service: shape(entity),
          request: shape({ required: ["uid"], attributes: { uid: string } }),
        },
      }),
      src_endpoint: shape(endpoint),
      dst_endpoint: shape(endpoint),
      resources: shapes({
        required: [],
        oneOf: ["name", "uid"],
        attributes: { name: string, uid: string, type: string, namespace: string },
      }),
    },
  },
};

type Plain = { readonly [name: string]: unknown };
const isObject = (value: unknown): value is Plain =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** What is wrong with an event by these rules; nothing, if all is well. */
export function problemsWith(event: unknown): readonly string[] {
  if (!isObject(event)) return ["is not an object"];
  const class_ = classes[Number(event["class_uid"])];
  if (class_ === undefined) return [`class ${String(event["class_uid"])} is none of ours`];
  const profiles = isObject(event["metadata"]) ? event["metadata"]["profiles"] : undefined;
  const controlled = Array.isArray(profiles) && profiles.includes("security_control");
  const whole: Shape = {
    required: [...base.required, ...class_.required, ...(controlled ? ["action_id", "disposition_id"] : [])],
    ...(class_.oneOf === undefined ? {} : { oneOf: class_.oneOf }),
    attributes: { ...base.attributes, ...(controlled ? control : {}), ...class_.attributes },
  };
  const [uid, activity] = [Number(event["class_uid"]), Number(event["activity_id"])];
  const checks: readonly (readonly [boolean, string])[] = [
    [event["category_uid"] === Math.floor(uid / 1000), "category_uid is not its class's"],
    [event["type_uid"] === uid * 100 + activity, "type_uid is not class_uid * 100 + activity_id"],
    [[0, 99, ...class_.activities].includes(activity), `activity ${activity} is none of the class`],
    [activity !== 99 || typeof event["activity_name"] === "string", "activity 99 needs a name of its own"],
    [!controlled || class_.controlled, "the profile is not one of the class"],
    [isObject(event["metadata"]) && event["metadata"]["version"] === "1.8.0", "metadata.version is not 1.8.0"],
  ];
  return [...checks.flatMap(([good, says]) => (good ? [] : [says])), ...problemsIn(event, whole, "")];
}

function problemsIn(value: unknown, { required, oneOf, attributes }: Shape, path: string): readonly string[] {
  if (!isObject(value)) return [`${path || "it"} is not an object`];
  const missing = required.filter((name) => value[name] === undefined).map((name) => `${path}${name} is missing`);
  const none =
    oneOf === undefined || oneOf.some((name) => value[name] !== undefined)
      ? []
      : [`${path}: none of ${oneOf.join(", ")}`];
  const rest = Object.entries(value).flatMap(([name, one]) => {
    const rule = attributes[name];
    return rule === undefined ? [`${path}${name} is not an attribute there`] : broken(one, rule, `${path}${name}`);
  });
  return [...missing, ...none, ...rest];
}

function broken(value: unknown, rule: Rule, path: string): readonly string[] {
  const wrong = (good: boolean): readonly string[] =>
    good ? [] : [`${path} is not a ${rule.type}: ${JSON.stringify(value)}`];
  switch (rule.type) {
    case "string":
      return wrong(typeof value === "string" && value !== "");
    case "boolean":
      return wrong(typeof value === "boolean");
    case "object":
      return wrong(isObject(value));
    case "strings":
      return wrong(Array.isArray(value) && value.length > 0 && value.every((one) => typeof one === "string"));
    case "timestamp":
      // Milliseconds since 1970: a number of seconds would lie in January 1970.
      return wrong(Number.isSafeInteger(value) && Number(value) > 1e12 && Number(value) < 1e14);
    case "integer":
      return wrong(Number.isSafeInteger(value) && (rule.among?.includes(Number(value)) ?? true));
    case "shape":
      return problemsIn(value, rule.of, `${path}.`);
    case "shapes":
      return Array.isArray(value) ? value.flatMap((one) => problemsIn(one, rule.of, `${path}[].`)) : wrong(false);
  }
}
