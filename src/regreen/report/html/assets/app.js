// The page: an overview, and the problems of one run or of two side by side.
const REFUSED = "refused";
const sum = (numbers) => numbers.reduce((total, number) => total + number, 0);

async function begin() {
  const head = await unpacked("head");
  document.getElementById("title").textContent = `regreen: ${head.title}`;
  document.getElementById("theme").addEventListener("click", turnTheme);
  const views = { Overview: overview(head) };
  if (head.runs.some((run) => run.problems.length > 0)) views.Problems = problemsView(head);
  const tabs = Object.keys(views).map((name) => make("button", { type: "button", role: "tab", "aria-selected": "false", onclick: () => go(name) }, name));
  document.getElementById("tabs").append(...tabs);

  function go(name, keep = false) {
    tabs.forEach((tab) => tab.setAttribute("aria-selected", String(tab.textContent === name)));
    if (!views[name].element.isConnected) document.getElementById("main").replaceChildren(views[name].element);
    if (!keep && name === "Overview") history.replaceState(null, "", "#");
    if (views[name].entered) views[name].entered();
  }

  function follow() {
    const asked = new URLSearchParams(location.hash.slice(1)).get("problem");
    if (asked !== null && views.Problems) {
      go("Problems", true);
      views.Problems.open(asked);
    }
  }
  go("Overview", true);
  addEventListener("hashchange", follow);
  follow();
}

function turnTheme() {
  const dark = getComputedStyle(document.documentElement).colorScheme.includes("dark") && matchMedia("(prefers-color-scheme: dark)").matches;
  const now = document.documentElement.dataset.theme || (dark ? "dark" : "light");
  document.documentElement.dataset.theme = now === "dark" ? "light" : "dark";
}

function overview(head) {
  const facts = (run) => make("section", {}, make("h2", {}, run.name),
    make("dl", { class: "facts" }, run.facts.map(([name, value]) => [make("dt", {}, name), make("dd", {}, value)])));
  return { element: make("div", {}, make("div", { class: "figures" }, head.runs.map(facts)), head.tables.slice(0, 1).map(plainTable),
    head.plots.length > 0 && make("section", {}, make("h2", {}, "Figures"), make("div", { class: "figures" }, head.plots.map(figure))),
    head.tables.slice(1).map(plainTable)) };
}

function mix(run, counts) {
  const whole = sum(counts), parts = counts.map((count, at) => [count, run.outcomes[at]]).filter(([count]) => count > 0);
  const words = parts.map(([count, name]) => `${count} ${name.replace("_", " ")}`).join(", ");
  return make("div", { class: "mix", role: "img", "aria-label": words, title: words },
    parts.map(([count, name]) => make("span", { class: `of-${name}`, style: { width: `${(100 * count) / whole}%` } })));
}

function rowsOf(head) {
  const rows = new Map();
  head.runs.forEach((run, at) => run.problems.forEach((id, place) => {
    if (!rows.has(id)) rows.set(id, { id, level: run.levels[place], order: rows.size, places: head.runs.map(() => -1), counts: head.runs.map(() => null) });
    rows.get(id).places[at] = place;
    rows.get(id).counts[at] = run.counts[place];
  }));
  return [...rows.values()];
}

const share = (counts) => (counts === null || sum(counts) === 0 ? -1 : counts[0] / sum(counts));

// Of two runs: how far a problem turned green, from -1 to 1; 2 where only one of them has it.
function turned(row) {
  const [before, after] = row.counts.map(share);
  return before < 0 || after < 0 ? 2 : after - before;
}

const STATES = {
  "every problem": () => true,
  "no program passes": (row) => row.counts.some((counts) => share(counts) === 0),
  "some pass, some fail": (row) => row.counts.some((counts) => share(counts) > 0 && share(counts) < 1),
  "all programs pass": (row) => row.counts.some((counts) => share(counts) === 1),
};
const TURNS = { "turned green": (row) => turned(row) > 0 && turned(row) <= 1, "turned red": (row) => turned(row) < 0 };

function columnsOf(head) {
  const names = new Intl.Collator(undefined, { numeric: true });
  const columns = [{ name: "problem", cell: (row) => row.id, by: (row) => row.rank }];
  if (head.runs.some((run) => run.levels.some(Boolean))) columns.push({ name: "kind", cell: (row) => row.level, by: (row) => row.level, minor: true, width: "7em" });
  head.runs.forEach((run, at) => {
    const many = head.runs.length > 1;
    columns.push({ name: many ? run.name : "passed", about: `programs of ${run.name} that passed`, width: "6.5em", by: (row) => share(row.counts[at]),
      cell: (row) => (row.counts[at] === null || sum(row.counts[at]) === 0 ? "-" : `${row.counts[at][0]} of ${sum(row.counts[at])}`) });
    columns.push({ name: "outcomes", width: many ? undefined : "28%", by: (row) => share(row.counts[at]), minor: many, cell: (row) => (row.counts[at] === null ? "" : mix(run, row.counts[at])) });
  });
  if (head.runs.length === 2) columns.push({ name: "change", width: "7em", by: turned, cell: (row) => (turned(row) === 2 ? "-" : turned(row) > 0 ? "▲ green" : turned(row) < 0 ? "▼ red" : "same") });
  return { columns, names };
}

function problemsView(head) {
  const every = rowsOf(head), { columns, names } = columnsOf(head);
  [...every].sort((a, b) => names.compare(a.id, b.id)).forEach((row, rank) => { row.rank = rank; });
  const states = head.runs.length === 2 ? { ...STATES, ...TURNS } : STATES;
  const rows = new Rows(columns, (row) => { location.hash = new URLSearchParams({ problem: row.id }).toString(); });
  const count = make("span", { class: "faint", role: "status" });
  const words = make("input", { type: "search", placeholder: "filter by name or kind  ( / )", "aria-label": "Filter problems", oninput: filter });
  const state = make("select", { "aria-label": "State", onchange: filter }, Object.keys(states).map((name) => make("option", {}, name)));
  const outcomes = [...new Set(head.runs.flatMap((run) => run.outcomes))];
  const outcome = make("select", { "aria-label": "Outcome", onchange: filter }, make("option", { value: "" }, "any outcome"), outcomes.map((name) => make("option", { value: name }, name.replace("_", " "))));
  const panel = make("section", { class: "opened", "aria-label": "Problem", hidden: true, tabindex: -1 });
  const panes = make("div", { class: "panes" }, rows.element, panel);
  let bodies = null;

  function filter() {
    const wanted = words.value.toLowerCase(), passes = states[state.value];
    const has = (row) => !outcome.value || head.runs.some((run, at) => row.counts[at] && row.counts[at][run.outcomes.indexOf(outcome.value)] > 0);
    const kept = every.filter((row) => (row.id.toLowerCase().includes(wanted) || row.level.toLowerCase().includes(wanted)) && passes(row) && has(row));
    count.textContent = `${kept.length} of ${every.length} problems`;
    rows.show(kept);
  }

  async function open(id) {
    const row = every.find((each) => each.id === id);
    if (row === undefined) return;
    bodies = bodies || unpacked("body");
    const found = await bodies;
    panel.hidden = false;
    panes.classList.add("open");
    if (rows.chosen !== row && rows.shown.includes(row)) rows.choose(rows.shown.indexOf(row), true);
    panel.replaceChildren(...problemPanel(row, head, found, close));
    panel.scrollTop = 0;
  }

  function close() {
    panel.hidden = true;
    panes.classList.remove("open");
    history.replaceState(null, "", "#");
    rows.element.focus();
  }

  const element = make("div", { onkeydown: (event) => { if (event.key === "Escape" && !panel.hidden) close(); } }, make("div", { class: "bar" }, words, state, outcome, count), panes);
  addEventListener("keydown", (event) => {
    if (event.key === "/" && element.isConnected && !/INPUT|SELECT/.test(document.activeElement.tagName)) {
      event.preventDefault();
      words.focus();
    }
  });
  filter();
  return { element, open, entered: () => rows.paint() };
}

const programOf = (run, outcomes) => ([index, role, source, outcome, failure, tokens, heat]) =>
  ({ index, role: run.texts[role], source, outcome: outcome < 0 ? REFUSED : outcomes[outcome], failure, tokens, heat: heat ?? null });
const nodeOf = ([name, kind, tokens, model, outcome, recorded, text]) => ({ name, kind, tokens, model, outcome, recorded, text });

function problemPanel(row, head, bodies, close) {
  const first = row.places.findIndex((place) => place >= 0), about = bodies[first].problems[row.places[first]];
  const statement = bodies[first].texts[about.statement];
  const facts = Object.entries(about.meta).map(([name, value]) => `${name} ${value}`).join(", ");
  return [
    make("h2", {}, make("span", {}, row.id), make("button", { type: "button", onclick: close, "aria-label": "Close the problem" }, "×")),
    statement && make("pre", { tabindex: 0 }, statement.trim()),
    facts && make("p", { class: "faint" }, facts),
    ...head.runs.map((run, at) => row.places[at] >= 0 && runPanel(run, bodies[at], row.places[at], head.runs.length > 1)),
  ].filter(Boolean);
}

function runPanel(head, run, place, named) {
  const problem = run.problems[place], programs = run.programs[place].map(programOf(run, head.outcomes));
  const nodes = run.nodes[place].map(nodeOf);
  const grown = nodes.some((node) => node.name.includes(".")) || (nodes.length > 0 && programs.length === 0);
  const samples = programs.filter((program) => program.role === "sample" || !grown || program.role.startsWith("control:"));
  return make("section", {}, named && make("h3", {}, head.name),
    grown && [make("h3", {}, "Tree"), treeView(nodes, run, problem, programs)],
    samples.length > 0 && [make("h3", {}, grown ? "First programs and controls" : "Programs"), choices(samples, run, problem)]);
}

function choices(programs, run, problem) {
  const place = make("div", {});
  const label = (program) => (program.role === "sample" ? `${program.index}` : `${program.index} ${program.role.replace("control:", "")}`);
  const buttons = programs.map((program) => make("button", { type: "button", class: `has-${program.outcome}`, title: program.outcome.replace("_", " "), "aria-label": `program ${label(program)}: ${program.outcome.replace("_", " ")}`, onclick: () => choose(program) }, label(program)));
  function choose(program) {
    buttons.forEach((button, at) => button.setAttribute("aria-pressed", String(programs[at] === program)));
    place.replaceChildren(programView(program, run, problem));
  }
  choose(programs.find((program) => program.outcome !== "passed") || programs[0]);
  return make("div", {}, make("div", { class: "chips" }, buttons), place);
}

begin();
