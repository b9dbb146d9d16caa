// Age distributions as images (SVG), drawn at the width there is and again when that changes.

const NAMESPACE = "http://www.w3.org/2000/svg";
const SIDE = 10; // pixels left and right of the axis, so that its ends have room for their numbers

// The years that the axes of one image's faces have in common: to 100, or to 120 where anybody may be that old
export function span(faces) {
  return faces.some((face) => face.interval[1] > 100) ? 120 : 100;
}

// The distribution with its interval shaded, its median marked, and an axis in years
export function drawDistribution(holder, face, years) {
  redrawn(holder, (width) => {
    const [top, floor, height] = [24, 132, 168];
    const image = frame(width, height, describe(face));
    const scale = scales(face.distribution, years, width, top, floor);
    image.append(shape("path", { d: area(face.distribution, 0, years, scale), class: "outside" }));
    image.append(shape("path", { d: area(face.distribution, ...face.interval, scale), class: "inside" }));
    image.append(shape("path", { d: line(face.distribution, 0, years, scale), class: "curve" }));
    image.append(shape("line", { x1: SIDE, x2: width - SIDE, y1: floor, y2: floor, class: "axis" }));
    const step = width < 420 ? 20 : 10;
    for (let year = 0; year <= years; year += step) {
      image.append(shape("line", { x1: scale.x(year), x2: scale.x(year), y1: floor, y2: floor + 4, class: "axis" }));
      image.append(words(scale.x(year), floor + 17, year, "tick", "middle"));
    }
    image.append(words(width / 2, floor + 33, "age in years", "tick", "middle"));
    const middle = scale.x(face.median);
    image.append(shape("line", { x1: middle, x2: middle, y1: top - 6, y2: floor, class: "median" }));
    image.append(words(middle, top - 10, face.median, "median-number", "middle"));
    readOut(image, face.distribution, years, scale, width, floor);
    return image;
  });
}

// The same in one line, to be put below others: a shape, the median as a dot, and the whole model's median as a line
export function drawMember(holder, member, years, together) {
  redrawn(holder, (width) => {
    const image = frame(width, 34);
    image.setAttribute("aria-hidden", "true"); // the number beside it says the same
    const scale = scales(member.distribution, years, width, 4, 28);
    image.append(shape("path", { d: area(member.distribution, 0, years, scale), class: "outside" }));
    image.append(shape("path", { d: line(member.distribution, 0, years, scale), class: "curve thin" }));
    image.append(shape("line", { x1: SIDE, x2: width - SIDE, y1: 28, y2: 28, class: "axis" }));
    image.append(shape("line", { x1: scale.x(together), x2: scale.x(together), y1: 0, y2: 34, class: "median dashed" }));
    image.append(shape("circle", { cx: scale.x(member.median), cy: 28, r: 4.5, class: "dot" }));
    return image;
  });
}

export function describe(face) {
  const [low, high] = face.interval;
  return `Age distribution: median ${face.median} years, 90 % interval ${low} to ${high} years`;
}

function redrawn(holder, draw) {
  let known = 0;
  new ResizeObserver(() => {
    const width = Math.floor(holder.clientWidth);
    if (width > 0 && width !== known) holder.replaceChildren(draw((known = width)));
  }).observe(holder);
}

function scales(distribution, years, width, top, floor) {
  const highest = Math.max(...distribution);
  return {
    x: (year) => SIDE + (year / years) * (width - 2 * SIDE),
    y: (probability) => floor - (probability / highest) * (floor - top),
    floor,
  };
}

function points(distribution, from, to, scale) {
  const years = Array.from({ length: to - from + 1 }, (_, i) => from + i);
  return years.map((year) => `${scale.x(year).toFixed(1)} ${scale.y(distribution[year]).toFixed(1)}`);
}

function line(distribution, from, to, scale) {
  return `M${points(distribution, from, to, scale).join("L")}`;
}

function area(distribution, from, to, scale) {
  const [left, right] = [from, to].map((year) => scale.x(year).toFixed(1));
  return `M${left} ${scale.floor}L${points(distribution, from, to, scale).join("L")}L${right} ${scale.floor}Z`;
}

// What is under the pointer, in numbers
function readOut(image, distribution, years, scale, width, floor) {
  const mark = shape("line", { y1: 20, y2: floor, class: "mark" });
  const text = words(0, 10, "", "tick", "middle");
  const both = shape("g", { visibility: "hidden" });
  both.append(mark, text);
  image.append(both);
  image.addEventListener("pointermove", (event) => {
    const place = (event.clientX - image.getBoundingClientRect().left - SIDE) / (width - 2 * SIDE);
    const year = Math.min(years, Math.max(0, Math.round(place * years)));
    mark.setAttribute("x1", scale.x(year));
    mark.setAttribute("x2", scale.x(year));
    text.setAttribute("x", Math.min(width - 50, Math.max(50, scale.x(year))));
    text.textContent = `${year} years: ${(100 * distribution[year]).toFixed(1)} %`;
    both.setAttribute("visibility", "visible");
    image.classList.add("read");
  });
  image.addEventListener("pointerleave", () => {
    both.setAttribute("visibility", "hidden");
    image.classList.remove("read");
  });
}

function frame(width, height, label) {
  const image = shape("svg", { viewBox: `0 0 ${width} ${height}`, width, height });
  if (label) {
    image.setAttribute("role", "img");
    image.setAttribute("aria-label", label);
  }
  return image;
}

function words(x, y, text, kind, where) {
  const element = shape("text", { x, y, class: kind, "text-anchor": where });
  element.textContent = text;
  return element;
}

function shape(name, attributes) {
  const element = document.createElementNS(NAMESPACE, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  return element;
}
