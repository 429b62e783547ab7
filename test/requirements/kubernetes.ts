// What the tests hold of kubernetes/.

export const kubernetes = {} as const;
