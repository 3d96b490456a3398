import { SlotDirectory, toSlotRanges } from '#libs/sharding';
import type { CliCall, CliCommand } from '../cli-command.js';
import { parseSlots } from '../shards/parse-slots.js';

/** Moves empty slots by hand: a hot shard, a shard of a customer's own. */
export const slotMoveCommand: CliCommand = {
  noun: 'slot',
  verb: 'move',
  summary: 'move empty slots to a shard; refused when tenants would have to move along',
  changes: true,
  configure: (command) =>
    command.argument('<slots>', 'such as 7 or 0-99,200').argument('<shard>', 'id of the shard that takes them'),
  async run({ args: [slots = '', shard = ''], dryRun, app, terminal }: CliCall) {
    const directory = (await app()).get(SlotDirectory);
    const moves = await directory.move(parseSlots(slots), shard, { dryRun });
    terminal.say(`${dryRun ? 'Would move' : 'Moved'} ${moves.length} slots to "${shard}".`);
    const { table } = await directory.read();
    terminal.table(toSlotRanges(table).map((range) => ({ ...range, slots: range.last - range.first + 1 })));
  },
};
