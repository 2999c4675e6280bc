/** One statement's answer, or undefined where it failed: why is then among the notes. */
export type Ask = <Row>(sql: string, values?: unknown[]) => Promise<Row[] | undefined>
