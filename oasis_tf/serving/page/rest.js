// The REST API of TensorFlow Serving, which is all that the page knows of the server.

export class Rest {
  constructor(model) {
    // Relative: a proxy may have put the page below a path.
    this.path = `v1/models/${encodeURIComponent(model)}`;
  }

  // The states of the versions: START, LOADING, AVAILABLE, UNLOADING or END.
  async states() {
    const answer = await this.#call("");
    return answer.model_version_status.map(({ state }) => state);
  }

  async signatures() {
    const answer = await this.#call("/metadata");
    return answer.metadata.signature_def.signature_def;
  }

  // What the exported model says of itself: class names, palette, sizes.
  async describe() {
    const { outputs } = await this.#predict("describe", { index: [0] });
    return JSON.parse(outputs[0]);
  }

  // PNG bytes of the picture, from those of a label map and of a map of seeds.
  async paint(labelMap, seedMap) {
    const { outputs } = await this.#predict("regions_png", {
      label_map_bytes: [{ b64: toBase64(labelMap) }],
      seed_map_bytes: [{ b64: toBase64(seedMap) }],
    });
    return fromBase64(outputs[0].b64);
  }

  #predict(signature_name, inputs) {
    const body = JSON.stringify({ signature_name, inputs });
    return this.#call(":predict", { method: "POST", body });
  }

  async #call(what, options) {
    let response;
    try {
      response = await fetch(this.path + what, options);
    } catch {
      throw new Error("The server cannot be reached. Is it still running?");
    }
    const text = await response.text();
    let answer;
    try {
      answer = JSON.parse(text);
    } catch {
      throw new Error(`The server sent no JSON (HTTP ${response.status}).`);
    }
    if (!response.ok) throw new Error(`${answer.error} (HTTP ${response.status})`);
    return answer;
  }
}

export function toBase64(bytes) {
  let text = "";
  for (let i = 0; i < bytes.length; i += 0x8000)
    text += String.fromCharCode(...bytes.subarray(i, i + 0x8000));
  return btoa(text);
}

export function fromBase64(text) {
  return Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
}
