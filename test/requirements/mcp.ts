// What the tests hold of mcp/.

export const mcp = {} as const;
