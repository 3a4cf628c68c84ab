// One stroke at a time, by the one pointer that began it: a second finger or a palm never paints.

// A touch that has gone this far, in pixels of the screen, is no part of a pinch any more.
const PINCH = 8;

export class OnePointer {
  #owner = null; // {id, type, x, y, moved} of the pointer that makes the stroke
  #touches = new Set(); // ids of the fingers on the element

  // `begin`, `move` and `end` are called with events of one pointer, `cancel` without any where its
  // stroke is to be taken back; `hover` with moves of a pointer while there is no stroke.
  constructor(element, { begin, move, end, cancel, hover = () => {} }) {
    Object.assign(this, { element, begin, move, end, cancel, hover });
    element.addEventListener("pointerdown", (event) => this.#down(event));
    element.addEventListener("pointermove", (event) => this.#move(event));
    element.addEventListener("pointerup", (event) => this.#up(event, () => this.end(event)));
    element.addEventListener("pointercancel", (event) => this.#up(event, () => this.cancel()));
  }

  #down(event) {
    const touch = event.pointerType === "touch";
    if (touch) this.#touches.add(event.pointerId);
    if (event.button !== 0) return;
    if (this.#owner) {
      // A second finger at the start of a stroke is a pinch; later it is a palm. A pen or a mouse
      // goes before a finger.
      const pinch = touch && this.#owner.type === "touch" && !this.#owner.moved;
      const palm = !touch && this.#owner.type === "touch";
      if (!pinch && !palm) return;
      this.#owner = null;
      this.cancel();
    }
    if (touch && this.#touches.size > 1) return;
    const { pointerId: id, pointerType: type, clientX: x, clientY: y } = event;
    this.#owner = { id, type, x, y, moved: false };
    this.element.setPointerCapture(id);
    this.begin(event);
  }

  #move(event) {
    const owner = this.#owner;
    if (!owner) {
      if (event.pointerType !== "touch") this.hover(event);
      return;
    }
    if (event.pointerId !== owner.id) return;
    owner.moved ||= Math.hypot(event.clientX - owner.x, event.clientY - owner.y) > PINCH;
    this.move(event);
  }

  #up(event, act) {
    this.#touches.delete(event.pointerId);
    if (event.pointerId !== this.#owner?.id) return;
    this.#owner = null;
    act();
  }
}
