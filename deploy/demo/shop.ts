/** The web shop's side of the demo: it knows an address and a key, and speaks plain HTTP. */

export interface Shop {
  post(path: string, body: unknown, headers?: Readonly<Record<string, string>>): Promise<Answer>;
  get(path: string): Promise<Answer>;
}

export interface Answer {
  readonly status: number;
  readonly body: unknown;
}

export function openShop(url: string, key: string): Shop {
  const call = async (path: string, init: RequestInit): Promise<Answer> => {
    const response = await fetch(`${url}${path}`, init);
    return { status: response.status, body: await response.json() };
  };
  const headers = { authorization: `Bearer ${key}` };
  return {
    post: (path, body, more = {}) =>
      call(path, {
        method: "POST",
        headers: { ...headers, "content-type": "application/json", ...more },
        body: JSON.stringify(body),
      }),
    get: (path) => call(path, { headers }),
  };
}

/** A field of an answer, by its path; undefined when it is not there. */
export function field(value: unknown, ...path: readonly (string | number)[]): unknown {
  return path.reduce<unknown>(
    (inner, key) =>
      typeof inner === "object" && inner !== null
        ? (inner as Record<string | number, unknown>)[key]
        : undefined,
    value,
  );
}
