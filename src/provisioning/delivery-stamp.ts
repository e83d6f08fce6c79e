import { prepare, type Reading, type Tx } from '../store/store.ts';

const selectStamp = prepare<Record<string, never>, { value: number }>((q) =>
  q.selectFrom('stamps').select('value').where('name', '=', 'delivery'),
);

/** Differs from what it was as soon as a target, an identity provider or a binding changed. */
export async function readDeliveryStamp(reading: Reading): Promise<number> {
  const [row] = await reading.run(selectStamp, {});
  return row!.value;
}

const lockStamp = prepare<Record<string, never>, { value: number }>((q, _, d) =>
  q.selectFrom('stamps').select('value').where('name', '=', 'delivery').modifyEnd(d.forUpdate),
);

/** `readDeliveryStamp`, and nobody changes a target, an identity provider or a binding before this transaction is over. */
export async function lockDeliveryStamp(tx: Tx): Promise<number> {
  const [row] = await tx.run(lockStamp, {});
  return row!.value;
}

/**
 * Raises the `delivery` stamp, by which every node sees that a target, an identity provider or a binding changed. Part
 * of the transaction that changes it; the caller says `store.signal('targets')` after its commit.
 */
export async function raiseDeliveryStamp(tx: Tx): Promise<void> {
  await tx.all(
    tx.q
      .updateTable('stamps')
      .set((e) => ({ value: e('value', '+', 1) }))
      .where('name', '=', 'delivery'),
  );
}
