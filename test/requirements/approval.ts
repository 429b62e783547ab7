// What the tests hold of approval/.

export const approval = {} as const;
