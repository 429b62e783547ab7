// The OSCAL component definition: what the gateway does for each control, what stays with the customer. It is made once a release.

import type { JsonObject } from "../domain/json.ts";
import { isQuestion, type Control, type Mapping } from "./mapping.ts";
import {
  catalogueReference,
  catalogueResource,
  controlId,
  gatewayComponent,
  metadata,
  oneLine,
  party,
  prop,
  uuidOf,
} from "./oscal.ts";
import { queryText } from "./query.ts";

/** OSCAL 1.2.1, `component-definition`. The same mapping and version give the same document. */
export function componentDefinition(mapping: Mapping, version: string): JsonObject {
  const at = `${mapping.updated}T00:00:00.000Z`;
  return {
    "component-definition": {
      uuid: uuidOf("component-definition", version, mapping.digest),
      metadata: metadata("Sallyport: what a gateway for AI agents does for controls", at, version, "provider"),
      components: [
        {
          uuid: gatewayComponent,
          type: "software",
          title: "Sallyport",
          description:
            "An MCP server that gives AI agents typed Kubernetes tools under governance: each call is identified, decided, approved where a rule asks for it, run with a credential of its own, masked, and recorded in a transcript that proves itself.",
          props: [prop("version", version), prop("mapping-sha256", mapping.digest)],
          "responsible-roles": [{ "role-id": "provider", "party-uuids": [party] }],
          "control-implementations": [
            {
              uuid: uuidOf("control-implementation", "SP 800-53 revision 5"),
              source: catalogueReference,
              description:
                "What the gateway contributes to each control. None of them is met by the gateway alone: what the customer must do is part of each.",
              "implemented-requirements": mapping.controls.map((control) => requirement(control, mapping)),
            },
          ],
        },
      ],
      "back-matter": { resources: [catalogueResource] },
    },
  };
}

function requirement(control: Control, { queries }: Mapping): JsonObject {
  const { id, title, gateway, customer, evidence, also, tests, r2, r3, tenets, airmf } = control;
  const built = evidence.filter((name) => isQuestion(name) || queries[name]?.planned !== true);
  const planned = evidence.length > 0 && built.length === 0;
  return {
    uuid: uuidOf("implemented-requirement", id),
    "control-id": controlId(control),
    description: oneLine(`${title}: ${gateway}`),
    props: [
      { name: "implementation-status", value: planned ? "planned" : "partial" },
      ...built.map((name) => {
        const query = queries[name];
        return query === undefined
          ? prop("verdict", name)
          : prop("query", name, { remarks: `${query.says} ${queryText(query)}` });
      }),
      ...evidence.filter((name) => !built.includes(name)).map((name) => prop("planned-query", name)),
      ...also.map((command) => prop("command", command)),
      ...tests.map((test) => prop("test", test)),
      ...r2.map((one) => prop("sp800-171-r2", one)),
      ...r3.map((one) => prop("sp800-171-r3", one)),
      ...tenets.map((one) => prop("sp800-207-tenet", one)),
      ...airmf.map((one) => prop("ai-rmf", one)),
    ],
    statements: [
      {
        "statement-id": `${controlId(control)}_smt`,
        uuid: uuidOf("statement", id),
        description: `The gateway: ${gateway}\n\nThe customer: ${customer}`,
      },
    ],
  };
}
