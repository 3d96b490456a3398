import type { Rebalance } from '#libs/sharding';
import type { Terminal } from '../terminal.js';

/** Shows a plan as one line per pair of shards, and names the tenants that stand in its way. */
export function reportRebalance(
  { moves, occupied }: Rebalance,
  { dryRun, terminal }: { readonly dryRun: boolean; readonly terminal: Terminal },
): void {
  const pairs = Map.groupBy(moves, ({ from, to }) => `${from} ${to}`);
  terminal.say(`${dryRun ? 'Would move' : 'Moved'} ${moves.length} empty slots.`);
  if (occupied.length > 0) {
    terminal.say(`${occupied.length} slots have tenants and stay; move those first, then "shard rebalance":`);
    for (const { slot, tenants } of occupied) terminal.say(`  slot ${slot}: ${tenants.join(', ')}`);
  }
  terminal.table(
    [...pairs].map(([pair, those]) => {
      const [from, to] = pair.split(' ');
      return { from, to, slots: those.length };
    }),
  );
}
