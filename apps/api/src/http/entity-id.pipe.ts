import { Injectable, type PipeTransform } from '@nestjs/common';
import { validate as isUuid } from 'uuid';
import { NotFoundError } from './errors/not-found.error.js';

/** Ids are opaque to clients: what is none of ours is answered like one that never existed. */
@Injectable()
export class EntityIdPipe implements PipeTransform<string, string> {
  transform(id: string): string {
    if (!isUuid(id)) throw new NotFoundError();
    return id.toLowerCase();
  }
}
