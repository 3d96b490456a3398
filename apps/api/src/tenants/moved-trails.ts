import { Injectable } from '@nestjs/common';
import { ErasureReach } from '#libs/audit';
import { PlacementMoves } from '#libs/tenancy';

/** Rows that a move has left at the old place hold the trail once more, keys of persons included, behind a fence. */
@Injectable()
export class MovedTrails extends ErasureReach {
  constructor(private readonly moves: PlacementMoves) {
    super();
  }

  async findBeyond(tenantId: string): Promise<string | undefined> {
    const isKept = (await this.moves.list(tenantId)).some(({ stage }) => stage === 'served');
    return isKept ? 'the rows that a move has left at the old place' : undefined;
  }
}
