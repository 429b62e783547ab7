// Configuration files as ConfigMaps hold them: their secrets go, their settings stay.

import { describe, expect } from "vitest";
import { promise } from "../../support/promise.ts";
import { masker } from "./support.ts";

const s = "Xk29fLqPz7Rt";
const basic = Buffer.from(`bob:${s}`).toString("base64");

/** Each file with how many of its lines hold a secret; all the others must stay as they are. */
const files: { readonly [name: string]: readonly [secretLines: number, text: string] } = {
  "alertmanager.yml": [
    3,
    `global:\n  smtp_auth_username: bob\n  smtp_auth_password: ${s}\nreceivers:\n- name: pd\n  pagerduty_configs:\n  - service_key: ${s}${s}\n    routing_key: ${s}${s}\n`,
  ],
  "grafana.ini": [
    3,
    `[security]\nadmin_user = admin\nadmin_password = ${s}\nsecret_key = ${s}\n[smtp]\npassword = """${s}"""\n`,
  ],
  "fluentd.conf": [1, `<match **>\n  @type elasticsearch\n  user elastic\n  password ${s}\n</match>\n`],
  "logstash.conf": [1, `output { elasticsearch { user => "elastic" password => "${s}" } }\n`],
  "haproxy.cfg": [1, `listen stats\n  stats auth admin:${s}\n  stats uri /stats\n`],
  "tomcat-users.xml": [1, `<users>\n<user username="admin" password="${s}" roles="manager"/>\n</users>\n`],
  "rabbitmq.conf": [1, `default_user = guest\ndefault_pass = ${s}\nlisteners.tcp.default = 5672\n`],
  "vault.hcl": [1, `storage "consul" {\n  token = "${s}"\n  path  = "vault/"\n}\n`],
  ".pypirc": [1, `[pypi]\nusername = __token__\npassword = ${s}\n`],
  "pip.conf": [1, `[global]\nindex-url = https://bob:${s}@pypi.example.com/simple\n`],
  "settings.py": [
    2,
    `DEBUG = False\nSECRET_KEY = "${s}"\nDB = {"USER": "x", "PASSWORD": "${s}"}\nAPI_KEY = os.getenv("API_KEY")\n`,
  ],
  "wp-config.php": [
    2,
    `define( 'DB_NAME', 'wp' );\ndefine( 'DB_PASSWORD', '${s}' );\ndefine('AUTH_KEY', '${s}$%^&*()');\n$table_prefix = 'wp_';\n`,
  ],
  "compose.yml": [
    2,
    `services:\n  db:\n    environment:\n      POSTGRES_PASSWORD: ${s}\n      POSTGRES_USER: app\n    command: ["--requirepass", "${s}"]\n`,
  ],
  "terraform.tfvars": [1, `db_password = "${s}"\nregion = "eu-west-1"\n`],
  "app.yml": [
    2,
    `spring:\n  datasource:\n    url: jdbc:postgresql://db/app\n    password: ${s}\n  oauth2:\n    client-id: abc\n    client-secret: ${s}\n`,
  ],
  "env.sh": [
    2,
    `export DB_PASSWORD=${s} # prod\nexport PATH=$PATH:/x\nTOKEN="$(cat /run/token)"\ncurl -H "Authorization: Bearer $TOKEN" https://x\nmysql -p"$DB_PASSWORD"\nredis-cli -a ${s} ping\n`,
  ],
  "folded.yaml": [1, `password: "abc\n  ${s}"\nx: 1\n`],
  "app.properties": [
    3,
    `db.user=app\ndb.password=${s}\\#x\nkeystore.password:${s}\ntruststore.path=/x/y.jks\nssl.key.password ${s}\n`,
  ],
  "nginx.conf": [
    2,
    `proxy_set_header Authorization "Basic ${basic}";\nproxy_set_header X-Api-Key ${s};\nssl_certificate_key /etc/tls/tls.key;\n`,
  ],
  "neo4j.env": [1, `NEO4J_AUTH=neo4j/${s}\nAUTH=none\n`],
  ".htpasswd": [
    2,
    `# users\nbob:$2y$05$${"abcdefghijklmnopqrstuv".padEnd(53, "X1y")}\nal:$apr1$H6uskkkW$IgXLP6ewTrSuBkTrqE8wj/\n`,
  ],
  "userlist.txt": [1, `; pgbouncer\n"bob" "${s}"\n`],
  "values.yaml": [
    0,
    `auth:\n  existingSecret: my-secret\n  secretKeys:\n    adminPasswordKey: postgres-password\nimagePullSecrets: []\ntls:\n  secretName: x\n`,
  ],
};

describe("configuration files", () => {
  for (const [name, [count, text]] of Object.entries(files)) {
    promise("masking:structure", `${name}: ${count} lines of secrets go, the others stay`, () => {
      const masked = masker().object({ kind: "ConfigMap", data: { [name]: text } }) as {
        data: { [name: string]: string };
      };
      const lines = (masked.data[name] ?? "").split("\n");
      expect(masked.data[name]).not.toContain(s);
      expect(lines.filter((line) => line.includes("[MASKED:"))).toHaveLength(count);
      const kept = lines.filter((line) => !line.includes("[MASKED:"));
      expect(text.split("\n").filter((line) => kept.includes(line))).toEqual(kept);
    });
  }

  promise("masking:structure", "maps and lists below a plural name", () => {
    const spec = {
      tokens: { agent: "8e557245-73e2-4286-969a-ff57fe326336" },
      passwords: [s],
      maxTokens: 5,
      tokensPerSecond: 3,
    };
    expect(JSON.stringify(masker().object({ kind: "Acl", spec })).replaceAll(/:[0-9a-f]{8}]/g, "]")).toBe(
      '{"kind":"Acl","spec":{"tokens":{"agent":"[MASKED:token]"},"passwords":["[MASKED:password]"],"maxTokens":5,"tokensPerSecond":3}}',
    );
  });
});
