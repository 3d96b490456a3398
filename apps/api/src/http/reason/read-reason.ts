/** What an actor may say of why; cut by the recorder. */
const LONGEST = 500;

/** The reason a request gives in `X-Audit-Reason`, on one line; `undefined` when it says nothing. */
export function readReason(header: string | string[] | undefined): string | undefined {
  if (typeof header !== 'string') return undefined;
  // Node reads headers as latin1; people write UTF-8.
  const text = Buffer.from(header, 'latin1').toString('utf8');
  const reason = (text.includes('\ufffd') ? header : text).replaceAll(/\p{Cc}+/gu, ' ').trim();
  return reason === '' ? undefined : reason.slice(0, LONGEST);
}
