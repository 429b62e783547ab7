// The part of oidc-provider (which brings no types) that the tests' issuer uses.

declare module "oidc-provider" {
  import type { IncomingMessage, ServerResponse } from "node:http";

  /** What a request is about, as koa hands it on. */
  export interface Context {
    body: unknown;
    readonly oidc: {
      readonly client: ProviderClient;
      readonly params: { readonly [name: string]: string | undefined };
    };
  }
  export interface ProviderClient {
    readonly clientId: string;
  }
  export interface AccessToken {
    readonly accountId?: string;
    readonly clientId: string;
    readonly expiration: number;
    readonly tokenType: string;
    resourceServer: ResourceServer;
    scope: string;
    save(): Promise<string>;
  }
  export interface ResourceServer {
    readonly scope: string;
  }
  export interface Grant {
    addOIDCScope(scope: string): void;
    addResourceScope(resource: string, scope: string): void;
    save(): Promise<string>;
  }
  export interface Interaction {
    readonly prompt: {
      readonly name: string;
      readonly details: {
        readonly missingOIDCScope?: readonly string[];
        readonly missingResourceScopes?: { readonly [resource: string]: readonly string[] };
      };
    };
    readonly params: { readonly client_id: string };
    readonly grantId?: string;
    readonly session?: { readonly accountId: string };
  }

  export const errors: {
    readonly InvalidGrant: new (description: string) => Error;
    readonly InvalidTarget: new (description?: string) => Error;
  };

  export class Provider {
    constructor(issuer: string, configuration: object);
    readonly AccessToken: new (fields: {
      readonly accountId: string;
      readonly client: ProviderClient;
      readonly gty: string;
    }) => AccessToken;
    readonly ResourceServer: new (resource: string, about: object) => ResourceServer;
    readonly Grant: {
      new (fields: { readonly accountId: string; readonly clientId: string }): Grant;
      find(id: string): Promise<Grant | undefined>;
    };
    registerGrantType(name: string, handler: (ctx: Context) => Promise<void>, parameters: readonly string[]): void;
    interactionDetails(request: IncomingMessage, response: ServerResponse): Promise<Interaction>;
    interactionFinished(
      request: IncomingMessage,
      response: ServerResponse,
      result: object,
      options: { readonly mergeWithLastSubmission: boolean },
    ): Promise<void>;
    callback(): (request: IncomingMessage, response: ServerResponse) => void;
    on(event: string, heard: (ctx: Context, error: Error) => void): void;
  }
}
