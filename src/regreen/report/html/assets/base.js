"use strict";

// Everything shown is made here, as text: nothing that a program said is ever read as HTML.
const SVG = "http://www.w3.org/2000/svg";

function fill(element, given, children) {
  for (const [name, value] of Object.entries(given)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name === "style") for (const [key, to] of Object.entries(value)) element.style.setProperty(key, to);
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

const make = (tag, given = {}, ...children) => fill(document.createElement(tag), given, children);
const draw = (tag, given = {}, ...children) => fill(document.createElementNS(SVG, tag), given, children);

async function unpacked(id) {
  const bytes = Uint8Array.from(atob(document.getElementById(id).textContent), (letter) => letter.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Response(stream).json();
}

const said = (outcome) => make("span", { class: `said said-${outcome}` }, outcome.replace("_", " "));

function plainTable(table) {
  const cell = (text, at) => (at === 0 ? make("th", { scope: "row" }, text) : make("td", {}, text));
  return make("section", {},
    make("h2", {}, table.title),
    make("div", { class: "wide", tabindex: 0, role: "region", "aria-label": table.title },
      make("table", { class: "plain" },
        make("thead", {}, make("tr", {}, table.header.map((name) => (name ? make("th", { scope: "col" }, name) : make("td", {}))))),
        make("tbody", {}, table.rows.map((row) => make("tr", {}, row.map(cell)))))),
    table.notes.length > 0 && make("ul", { class: "notes" }, table.notes.map((note) => make("li", {}, note))));
}
