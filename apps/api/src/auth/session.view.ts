import type { Session } from '#libs/identity';

/** A session as its owner sees it. Nothing in it opens anything. */
export function toSessionView(session: Session, currentId: string) {
  const { id, createdAt, rotatedAt, expiresAt, ip, userAgent } = session;
  return {
    id,
    current: id === currentId,
    createdAt: createdAt.toISOString(),
    lastRefreshedAt: rotatedAt.toISOString(),
    expiresAt: expiresAt.toISOString(),
    ip,
    userAgent,
  };
}
