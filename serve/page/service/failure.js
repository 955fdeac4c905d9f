// The status and the body of a refusal in, words that say what is wrong and what to do out.

const TITLES = {
  0: "The service does not answer",
  401: "This service asks for a key",
  408: "The upload took too long",
  413: "This image is too large",
  415: "This file is not an image that the service reads",
  422: "The service cannot use this",
  503: "The service is busy",
};
const ADVICE = {
  0: "Check the connection, then try again. If the image is large, the service may have closed the connection: make it smaller.",
  401: "Enter the key that its operator gave you.",
  408: "Use a faster connection, or a smaller image.",
  413: "Save it with fewer pixels or as a JPEG, then choose it again.",
  415: "Choose a JPEG, PNG, WebP, TIFF, BMP, GIF, HEIC or AVIF file.",
  503: "It was asked several times. Try again in a while.",
};
const TOLD = "not_an_image"; // its title and its advice say all
const BUG = "The service failed";

/** Why there is no answer, for people. */
export class Failure extends Error {
  /**
   * @param {string} title
   * @param {string} text
   * @param {{status?: number, id?: string, retryAfter?: number | null}} details id: of the request, in the service's log
   */
  constructor(title, text, { status = 0, id = "", retryAfter = null } = {}) {
    super(title);
    this.title = title;
    this.text = text;
    this.status = status;
    this.id = id;
    this.retryAfter = retryAfter;
  }
}

/**
 * Return the failure of an answer that is not 200.
 *
 * @param {number} status 0 if no answer came
 * @param {ArrayBuffer | null} content JSON with error and request_id, unless something between answered
 * @param {(name: string) => string} header
 */
export function failureOf(status, content, header) {
  const { error = "", code = "", request_id: id = "" } = parse(content);
  const said = error && code !== TOLD && `${error[0].toUpperCase()}${error.slice(1)}.`;
  const text = [said, ADVICE[status] ?? ""].filter(Boolean).join(" ");
  const after = Number.parseInt(header("Retry-After"), 10);
  return new Failure(TITLES[status] ?? `${BUG} (${status})`, text, {
    status,
    id,
    retryAfter: Number.isFinite(after) ? after : null,
  });
}

/** Return the failure of a file that the service would refuse, without sending it; null if it may be sent. */
export function tooLarge(size, mostBytes) {
  if (!mostBytes || size <= mostBytes) {
    return null;
  }
  const megabytes = (bytes) => (bytes / 2 ** 20).toFixed(1);
  return new Failure(TITLES[413], `The file has ${megabytes(size)} MiB, the service takes ${megabytes(mostBytes)} MiB. ${ADVICE[413]}`, {
    status: 413,
  });
}

function parse(content) {
  try {
    return JSON.parse(new TextDecoder().decode(content ?? new ArrayBuffer(0)));
  } catch {
    return {};
  }
}
