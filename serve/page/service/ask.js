// One request in, its answer out: tells how far it is, waits and tries again while the service is busy, fails in plain words.

import { Failure, failureOf } from "./failure.js";

const MOST_TRIES = 6;
const WAIT_S = 2; // where a busy service does not say when to come back
const LONGEST_WAIT_S = 60;

/**
 * @typedef {object} Listener who is told how far a request is
 * @property {(share: number) => void} [onSent] share of the body that is sent, 1 once the service works
 * @property {(seconds: number, attempt: number, most: number) => void} [onWait] every second before another attempt
 */

/**
 * Ask the service, again if it is busy.
 *
 * @param {string} path relative to the page
 * @param {{method?: string, body?: Blob | FormData | null, key?: string, signal?: AbortSignal}} request key: of the service
 * @param {Listener} listener
 * @returns {Promise<{content: ArrayBuffer, header: (name: string) => string}>}
 * @throws {Failure} in words; an AbortError of the signal
 */
export async function ask(path, request = {}, listener = {}) {
  for (let attempt = 1; ; attempt++) {
    try {
      return await send(path, request, listener);
    } catch (failure) {
      if (!(failure instanceof Failure) || failure.status !== 503 || attempt === MOST_TRIES) {
        throw failure;
      }
      await wait(Math.min(failure.retryAfter ?? WAIT_S, LONGEST_WAIT_S), request.signal, (seconds) =>
        listener.onWait?.(seconds, attempt + 1, MOST_TRIES),
      );
    }
  }
}

/** Send one request. XMLHttpRequest, because fetch does not tell how much of a body is sent. */
function send(path, { method = "GET", body = null, key = "", signal }, listener) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    const stop = () => request.abort();
    request.open(method, path);
    request.responseType = "arraybuffer";
    if (key) {
      request.setRequestHeader("X-API-Key", key);
    }
    const header = (name) => request.getResponseHeader(name) ?? "";
    if (body) {
      request.upload.onprogress = (event) => event.lengthComputable && listener.onSent?.(event.loaded / event.total);
      request.upload.onload = () => listener.onSent?.(1);
    }
    request.onload = () =>
      request.status === 200
        ? resolve({ content: request.response, header })
        : reject(failureOf(request.status, request.response, header));
    request.onerror = () => reject(failureOf(0, null, header));
    request.onabort = () => reject(signal.reason);
    request.onloadend = () => signal?.removeEventListener("abort", stop);
    if (signal?.aborted) {
      reject(signal.reason);
      return;
    }
    signal?.addEventListener("abort", stop);
    request.send(body);
  });
}

/** Wait whole seconds and tell each. */
async function wait(seconds, signal, tell) {
  for (let left = Math.max(1, Math.ceil(seconds)); left > 0; left--) {
    tell(left);
    await new Promise((resolve) => setTimeout(resolve, 1000));
    signal?.throwIfAborted();
  }
}
