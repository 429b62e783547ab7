// What the tests hold of transcript/.

export const transcript = {} as const;
