import { Logger } from '@nestjs/common';

const logger = new Logger('MikroORM');

/** MikroORM's own messages, such as a migration that ran. People are told what matters by whoever started the work. */
export function logOrm(message: string): void {
  logger.debug(message);
}
