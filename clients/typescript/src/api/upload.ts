/** Brings a file to where `POST /media/uploads` says. */
import type { Platform } from "../platform";
import type { Addresses } from "./addresses";
import type { Http } from "./http";
import type { UploadGrant } from "./shapes";

export interface UploadOptions {
  onProgress?: (fraction: number) => void;
  signal?: AbortSignal;
}

/** All of `file` is there when this resolves. There is no time-out but the grant's own. */
export async function putFile(
  file: File,
  grant: UploadGrant["upload"],
  parts: { http: Http; addresses: Addresses; platform: Platform } & UploadOptions,
): Promise<void> {
  const { http, addresses, platform, onProgress, signal } = parts;
  const { fetch, XMLHttpRequest } = platform;
  const url = addresses.resolve(grant.url);
  const headers = "headers" in grant ? grant.headers : {};
  const body = "fields" in grant ? makeForm(grant.fields, file) : file;
  const send = async (ended: AbortSignal): Promise<Response> => {
    const init = { method: grant.method, headers, body, signal: ended };
    const response =
      onProgress && XMLHttpRequest ? await sendByXhr(new XMLHttpRequest(), url, init, onProgress) : await fetch(url, init);
    // What an object store says to a good upload is nothing to anybody, and may be XML.
    return response.ok ? new Response(null) : response;
  };
  await http.exchange(send, { signal, timeout: Infinity });
  onProgress?.(1);
}

/** The file comes last: S3 reads no field after it. */
function makeForm(fields: Record<string, string>, file: File): FormData {
  const form = new FormData();
  for (const [name, value] of Object.entries(fields)) form.append(name, value);
  form.append("file", file);
  return form;
}

/** As `fetch`, but it tells how far the upload is. */
function sendByXhr(
  request: XMLHttpRequest,
  url: string,
  init: { method: string; headers: Record<string, string>; body: File | FormData; signal: AbortSignal },
  onProgress: (fraction: number) => void,
): Promise<Response> {
  return new Promise((resolve, reject) => {
    const abort = (): void => request.abort();
    const fail = (): void => reject(new TypeError("The upload was cut off."));
    request.open(init.method, url);
    for (const [name, value] of Object.entries(init.headers)) request.setRequestHeader(name, value);
    request.upload.onprogress = ({ loaded, total }) => onProgress(total === 0 ? 0 : loaded / total);
    // Without its headers: what an error says of itself is in its body.
    request.onload = () => resolve(new Response(request.responseText || null, { status: request.status }));
    request.onerror = fail;
    request.onabort = fail;
    request.onloadend = () => init.signal.removeEventListener("abort", abort);
    init.signal.addEventListener("abort", abort);
    request.send(init.body);
  });
}
