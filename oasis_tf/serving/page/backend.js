// Who draws the pictures of the page: the server it comes from. A page that was written by
// `python -m oasis_tf.export --format web` has another one here. Both have
//   name: of the model, for titles and files; known once it is open
//   engine: what draws, for the header, or ""; it may change with a picture
//   open(waiting): a promise of what the model says of itself, for when it can draw; meanwhile
//     waiting(text) is called with what it waits for
//   paint(scene): a promise of the PNG bytes of a scene's picture
export { ServerBackend as Backend } from "./server_backend.js";
