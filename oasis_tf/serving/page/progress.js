// How far a picture is, judged by how long the ones before took.

export class Progress {
  #expected = 0; // milliseconds for a pixel; 0 = unknown
  #timer = null;

  constructor() {
    this.bar = document.getElementById("progress");
    this.fill = this.bar.firstElementChild;
  }

  // Calls `onTick(seconds)` while it runs; returns a function that ends it.
  start(pixels, onTick) {
    const begin = performance.now(), expected = this.#expected * pixels;
    const tick = () => {
      const elapsed = performance.now() - begin;
      // Never quite full: an estimate may be wrong.
      const share = expected ? 1 - Math.exp((-2.5 * elapsed) / expected) : 1 - Math.exp(-elapsed / 2000);
      this.fill.style.width = `${Math.min(97, 100 * share)}%`;
      onTick(elapsed / 1000);
    };
    this.bar.hidden = false;
    tick();
    this.#timer = setInterval(tick, 100);
    return (succeeded) => {
      clearInterval(this.#timer);
      this.bar.hidden = true;
      const elapsed = performance.now() - begin;
      if (succeeded) this.#expected = elapsed / pixels;
      return elapsed / 1000;
    };
  }
}
