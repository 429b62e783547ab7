// What the tests hold of policy/.

export const policy = {} as const;
