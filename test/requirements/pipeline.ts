// What the tests hold of pipeline/.

export const pipeline = {} as const;
