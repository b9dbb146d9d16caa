// The predictions for the faces in an image: boxes on it, and a card for each face.
import { drawDistribution, drawMember, span } from "./drawing.js";

const MANY = 4; // faces, of which not all are named in a sentence
const MARGIN = 0.25; // of a face's box, shown around it on its card

// Put image and cards on the page; returns a sentence that sums them up.
export function showResult(figure, list, source, result, takeWhole) {
  const image = make("img", { src: source, alt: "The image" });
  const frame = make("div", { className: "frame" }, image);
  figure.replaceChildren(frame);
  if (!result.faces.length) {
    figure.parentElement.classList.remove("several");
    list.replaceChildren(nobody(takeWhole));
    return "No face was found.";
  }
  const years = span(result.faces);
  const cards = result.faces.map((face, i) => card(face, i + 1, years, result));
  list.replaceChildren(...cards);
  result.faces.forEach((face, i) => {
    const box = boxed(face, i + 1);
    frame.append(box);
    connect(box, cards[i]);
  });
  image.decode().then(() => result.faces.forEach((face, i) => cropFace(image, face.box, cards[i].querySelector("canvas"))));
  figure.parentElement.classList.toggle("several", result.faces.length > 1);
  const ages = result.faces.map((face) => face.median);
  if (ages.length === 1) return `One face: about ${inYears(ages[0])}.`;
  if (ages.length > MANY) return `${ages.length} faces: about ${Math.min(...ages)} to ${inYears(Math.max(...ages))}.`;
  return `${ages.length} faces: about ${ages.slice(0, -1).join(", ")} and ${inYears(ages.at(-1))}.`;
}

function nobody(takeWhole) {
  const button = make("button", { type: "button", className: "button primary" }, "Take the whole image as a face");
  button.addEventListener("click", takeWhole);
  return make(
    "div",
    { className: "card" },
    make("h2", {}, "No face was found"),
    make("p", {}, "Faces are found best when they are upright, seen from the front and not too small. ",
      "If the image shows one face and nothing else, take it as it is:"),
    button,
  );
}

function card(face, number, years, result) {
  const [low, high] = face.interval;
  const [adult, probability] = face.at_least;
  const curve = make("div", { className: "curve-holder" });
  drawDistribution(curve, face, years);
  const kind = result.calibrated ? "calibrated out-of-fold" : "not calibrated";
  const parts = [
    make(
      "header",
      {},
      make("canvas", { width: 144, height: 144, ariaHidden: "true" }),
      make(
        "div",
        {},
        make("h2", {}, `Face ${number}`),
        make("p", { className: "age" }, make("span", { className: "number" }, face.median), " years"),
        make("p", { className: "interval" }, `${100 * result.level} % interval `, make("strong", {}, `${low} to ${high}`)),
      ),
      make("p", { className: "adult" }, `${adult} or older `, make("strong", {}, percent(probability))),
    ),
    ...(face.remarks.length ? [remarks(face.remarks)] : []),
    curve,
    make("p", { className: "legend" }, make("span", { className: "swatch" }), `${100 * result.level} % interval, ${kind}; `,
      make("span", { className: "stroke" }), "median"),
    make("h3", {}, "Most likely age groups"),
    groups(face.age_groups),
  ];
  if (face.members.length) parts.push(make("h3", {}, "Each member alone"), members(face, years));
  return make("article", { className: "card", tabIndex: -1, ariaLabel: `Face ${number}` }, ...parts);
}

function remarks(texts) {
  return make("p", { className: "remarks" }, `Take with care: ${texts.join("; ")}.`);
}

function groups(three) {
  const rows = three.map(([label, probability]) => {
    const bar = make("span", { className: "bar" });
    bar.style.width = `${100 * probability}%`;
    return make("li", {}, make("span", {}, label.replace("-", "–")), make("span", { className: "track" }, bar),
      make("span", { className: "share" }, percent(probability)));
  });
  return make("ul", { className: "groups" }, ...rows);
}

function members(face, years) {
  const rows = face.members.map((member) => {
    const [first, ...rest] = member.name.split(" ");
    const holder = make("span", { className: "small-curve" });
    drawMember(holder, member, years, face.median);
    const name = make("span", { className: "name" }, make("strong", {}, first), ...(rest.length ? [` ${rest.join(" ")}`] : []));
    const weight = make("span", { className: "weight" }, `weight ${member.weight.toFixed(2)}`);
    return make("li", { title: member.name }, make("span", { className: "who" }, name, weight), holder,
      make("span", { className: "share" }, inYears(member.median)));
  });
  return make("ul", { className: "members" }, ...rows);
}

// A numbered box on the image, which is also a button that leads to the face's card
function boxed(face, number) {
  const label = `Face ${number}: ${inYears(face.median)}`;
  const box = make("button", { type: "button", className: "box", ariaLabel: label, title: label }, make("span", {}, number));
  const [left, top, width, height] = clipped(face.box);
  Object.assign(box.style, { left: `${100 * left}%`, top: `${100 * top}%`, width: `${100 * width}%`, height: `${100 * height}%` });
  return box;
}

function connect(box, card) {
  const both = [box, card];
  for (const one of both) {
    for (const kind of ["pointerenter", "focusin"]) one.addEventListener(kind, () => both.forEach((o) => o.classList.add("meant")));
    for (const kind of ["pointerleave", "focusout"]) one.addEventListener(kind, () => both.forEach((o) => o.classList.remove("meant")));
  }
  box.addEventListener("click", () => {
    card.scrollIntoView({ block: "nearest" });
    card.focus({ preventScroll: true });
  });
}

function clipped([x, y, width, height]) {
  const [left, top] = [Math.max(0, x), Math.max(0, y)];
  return [left, top, Math.min(1, x + width) - left, Math.min(1, y + height) - top];
}

// The face alone, square, within the image
function cropFace(image, [x, y, width, height], canvas) {
  const [wide, high] = [image.naturalWidth, image.naturalHeight];
  const side = Math.min(Math.max(width * wide, height * high) * (1 + 2 * MARGIN), wide, high);
  const left = Math.min(Math.max((x + width / 2) * wide - side / 2, 0), wide - side);
  const top = Math.min(Math.max((y + height / 2) * high - side / 2, 0), high - side);
  canvas.getContext("2d").drawImage(image, left, top, side, side, 0, 0, canvas.width, canvas.height);
}

function percent(probability) {
  const whole = Math.round(100 * probability);
  if (whole === 0 && probability > 0) return "under 1 %";
  return whole === 100 && probability < 1 ? "over 99 %" : `${whole} %`;
}

function inYears(number) {
  return number === 1 ? "1 year" : `${number} years`;
}

function make(tag, properties, ...children) {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children);
  return element;
}
