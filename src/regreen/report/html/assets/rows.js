// A table of many rows, of which only those in sight are in the page.
const HEIGHT = 32, SPARE = 12;

class Rows {
  constructor(columns, open) {
    this.columns = columns;
    this.open = open;
    this.every = [];
    this.shown = [];
    this.chosen = null;
    this.sort = { column: 0, down: false };
    this.heads = columns.map((column, at) => make("th", { scope: "col", class: column.minor && "minor", style: column.width && { width: column.width } },
      make("button", { type: "button", onclick: () => this.sortBy(at), title: column.about }, column.name)));
    this.body = make("tbody", {});
    this.table = make("table", { role: "grid", "aria-label": "Problems" }, make("thead", {}, make("tr", {}, this.heads)), this.body);
    this.element = make("div", { class: "rows", tabindex: 0, onscroll: () => this.paint(), onkeydown: (event) => this.key(event) }, this.table);
    new ResizeObserver(() => this.paint()).observe(this.element);
  }

  show(rows) {
    this.every = rows;
    this.arrange();
  }

  sortBy(column) {
    this.sort = { column, down: this.sort.column === column && !this.sort.down };
    this.arrange();
  }

  arrange() {
    const { column, down } = this.sort, by = this.columns[column].by, sign = down ? -1 : 1;
    const keyed = this.every.map((row, at) => [by(row), at, row]);
    keyed.sort(([a, i], [b, j]) => sign * (a < b ? -1 : a > b ? 1 : 0) || i - j);
    this.shown = keyed.map(([, , row]) => row);
    this.heads.forEach((head, at) => head.setAttribute("aria-sort", at !== column ? "none" : down ? "descending" : "ascending"));
    this.table.setAttribute("aria-rowcount", this.shown.length);
    this.first = null;
    this.paint();
  }

  paint() {
    const first = Math.max(0, Math.floor(this.element.scrollTop / HEIGHT) - SPARE);
    const last = Math.min(this.shown.length, Math.ceil((this.element.scrollTop + this.element.clientHeight) / HEIGHT) + SPARE);
    if (first === this.first && last === this.last) return;
    [this.first, this.last] = [first, last];
    const space = (count) => make("tr", { class: "space", "aria-hidden": "true" }, make("td", { style: { height: `${count * HEIGHT}px` } }));
    this.body.replaceChildren(space(first), ...this.shown.slice(first, last).map((row, at) => this.row(row, first + at)), space(this.shown.length - last));
  }

  row(row, at) {
    return make("tr", { "aria-rowindex": at + 1, "aria-selected": String(row === this.chosen), onclick: () => this.choose(at) },
      this.columns.map((column) => make("td", { class: column.minor && "minor" }, column.cell(row))));
  }

  choose(at, quiet = false) {
    this.chosen = this.shown[at];
    const top = at * HEIGHT, view = this.element.clientHeight - HEIGHT;
    if (top < this.element.scrollTop) this.element.scrollTop = top;
    if (top + HEIGHT > this.element.scrollTop + view) this.element.scrollTop = top + HEIGHT - view;
    this.first = null;
    this.paint();
    if (!quiet) this.open(this.chosen);
  }

  key(event) {
    const at = this.shown.indexOf(this.chosen), page = Math.floor(this.element.clientHeight / HEIGHT) - 1;
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, PageDown: at + page, PageUp: at - page, Home: 0, End: this.shown.length - 1 }[event.key];
    if (event.key === "Enter" && at >= 0 && event.target === this.element) this.open(this.chosen);
    if (to === undefined || this.shown.length === 0) return;
    event.preventDefault();
    this.choose(Math.max(0, Math.min(this.shown.length - 1, to)));
  }
}
