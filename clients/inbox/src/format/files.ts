/** Files: how large, of which kind, and whether the address of one has ended. */

const UNITS = ["B", "KB", "MB", "GB"];

export function formatSize(bytes: number): string {
  let unit = 0;
  let size = bytes;
  for (; size >= 1000 && unit < UNITS.length - 1; unit++) size /= 1000;
  return `${unit === 0 || size >= 10 ? Math.round(size) : size.toFixed(1)} ${UNITS[unit] ?? ""}`;
}

/** The end of a file's name, up to four letters, for its icon: `PDF`. */
export function extensionOf(filename: string): string {
  return /\.([a-z0-9]{1,4})$/i.exec(filename)?.[1]?.toUpperCase() ?? "";
}

/**
 * Whether a presigned address has ended or does so within a minute: it is read from the address itself (`expires` of the
 * server's own store, `X-Amz-Date` and `X-Amz-Expires` of S3). One that does not say is taken as good.
 */
export function hasEnded(address: string, now: number): boolean {
  const query = new URL(address, "http://relative").searchParams;
  const end = Number(query.get("expires") ?? query.get("Expires") ?? NaN) * 1000 || readAmazonEnd(query);
  return end !== null && end - 60_000 < now;
}

function readAmazonEnd(query: URLSearchParams): number | null {
  const [, year, month, day, hour, minute, second] = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(query.get("X-Amz-Date") ?? "") ?? [];
  const lifetime = Number(query.get("X-Amz-Expires"));
  if (year === undefined || !lifetime) return null;
  return Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`) + lifetime * 1000;
}
