/** One step of the schema. Once released it is never edited; the next step mends it. */
export type Migration = { name: string; statements: readonly string[] };
