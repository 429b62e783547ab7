// What the tests hold of tools/.

export const tools = {} as const;
