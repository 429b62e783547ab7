// What the tests hold of identity/.

export const identity = {} as const;
