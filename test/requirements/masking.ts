// What the tests hold of masking/.

export const masking = {} as const;
