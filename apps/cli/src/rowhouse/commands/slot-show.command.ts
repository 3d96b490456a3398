import { SlotDirectory, slotOf, toSlotRanges } from '#libs/sharding';
import { TenantStore } from '#libs/tenancy';
import type { CliCall, CliCommand } from '../cli-command.js';
import { parseSlots } from '../shards/parse-slots.js';

/** Shows which shard the slots are on, or who is in some of them. */
export const slotShowCommand: CliCommand = {
  noun: 'slot',
  verb: 'show',
  summary: 'show which shard each slot is on, or the tenants in some of them',
  configure: (command) =>
    command
      .argument('[slots]', 'such as 7 or 0-99,200; default: all, as ranges')
      .option('--tenant <slug>', 'the slot of this tenant, which may itself live elsewhere'),
  async run({ args: [slots], options, app, terminal }: CliCall) {
    const nest = await app();
    const directory = nest.get(SlotDirectory);
    const { epoch, table } = await directory.read();
    if (typeof options.tenant === 'string') {
      const { id, placement } = await nest.get(TenantStore).getBySlug(options.tenant);
      const slot = slotOf(id);
      terminal.object({ slot, shardOfSlot: table[slot], shardOfTenant: placement.shardId });
      return;
    }
    if (slots === undefined) {
      terminal.say(`Slot table, epoch ${epoch}`);
      terminal.table(toSlotRanges(table).map((range) => ({ ...range, slots: range.last - range.first + 1 })));
      return;
    }
    const wanted = parseSlots(slots).map((slot) => ({ slot, from: String(table[slot]) }));
    const occupied = new Map((await directory.occupiedAmong(wanted)).map(({ slot, tenants }) => [slot, tenants]));
    terminal.table(wanted.map(({ slot, from }) => ({ slot, shard: from, tenants: occupied.get(slot) ?? [] })));
  },
};
