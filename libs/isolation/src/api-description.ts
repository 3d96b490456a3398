/** A JSON schema, as far as it is read here. */
export interface JsonSchema {
  readonly $ref?: string;
  readonly type?: string;
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly default?: unknown;
  readonly example?: unknown;
  readonly format?: string;
  readonly pattern?: string;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minimum?: number;
  readonly minItems?: number;
  readonly items?: JsonSchema;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
  readonly oneOf?: readonly JsonSchema[];
  readonly anyOf?: readonly JsonSchema[];
  readonly allOf?: readonly JsonSchema[];
}

interface Operation {
  readonly parameters?: readonly {
    readonly in: string;
    readonly name: string;
    readonly required?: boolean;
    readonly schema?: JsonSchema;
  }[];
  readonly requestBody?: { readonly content?: Readonly<Record<string, { readonly schema?: JsonSchema }>> };
  readonly security?: readonly object[];
}

/** An OpenAPI document, as far as it is read here. */
export interface ApiDescription {
  readonly paths: Readonly<Record<string, object>>;
  readonly components?: { readonly schemas?: Readonly<Record<string, unknown>> };
}

/** One route of an API. */
export interface ApiRoute {
  /** In capitals. */
  readonly method: string;
  /** As described: `/v1/products/{id}`. */
  readonly path: string;
  /** Names in the path, in order. */
  readonly parameters: readonly string[];
  readonly query: readonly { readonly name: string; readonly required: boolean; readonly schema: JsonSchema }[];
  /** Schema of a JSON body, if it takes one. */
  readonly body: JsonSchema | undefined;
  /** Whether it asks for no credentials. */
  readonly isPublic: boolean;
}

const METHODS = ['get', 'post', 'put', 'patch', 'delete'] as const;

function toRoute(path: string, method: string, operation: Operation): ApiRoute {
  const { parameters = [], requestBody, security } = operation;
  const inQuery = parameters.filter((it) => it.in === 'query');
  return {
    method: method.toUpperCase(),
    path,
    parameters: [...path.matchAll(/\{([^}]+)\}/g)].map(([, name]) => String(name)),
    query: inQuery.map(({ name, required = false, schema = {} }) => ({ name, required, schema })),
    body: requestBody?.content?.['application/json']?.schema,
    isPublic: security?.some((it) => Object.keys(it).length === 0) ?? false,
  };
}

/** Every route of a description whose path is `under` or lies under it; all without `under`. */
export function routesOf(description: ApiDescription, under = ''): ApiRoute[] {
  return Object.entries(description.paths).flatMap(([path, operations]) => {
    if (under !== '' && path !== under && !path.startsWith(`${under}/`)) return [];
    return METHODS.flatMap((method) => {
      const operation = (operations as Partial<Record<string, Operation>>)[method];
      return operation ? [toRoute(path, method, operation)] : [];
    });
  });
}
