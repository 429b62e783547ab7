// What the tests hold of practice/.

export const practice = {} as const;
