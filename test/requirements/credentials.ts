// What the tests hold of credentials/.

export const credentials = {} as const;
