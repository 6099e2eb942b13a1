// One program beside its failing check.
function listing(source, marked) {
  const lines = source.replace(/\s+$/, "").split(/\r\n|\r|\n/);
  return make("div", { class: "code", role: "group", "aria-label": "Program", tabindex: 0 }, lines.map((line, at) =>
    make("div", { "data-line": at + 1, class: at + 1 === marked && "marked", "aria-label": at + 1 === marked && `failing line ${at + 1}: ${line}` }, line || " ")));
}

// What is the same at both ends stays plain; what lies between is where two values differ.
function parted(text, other) {
  let start = 0, end = 0;
  const most = Math.min(text.length, other.length);
  while (start < most && text[start] === other[start]) start += 1;
  while (end < most - start && text[text.length - 1 - end] === other[other.length - 1 - end]) end += 1;
  const until = text.length - end;
  return make("pre", {}, text.slice(0, start), make("span", { class: "differs" }, text.slice(start, until)), text.slice(until));
}

function failing(failure, problem, text) {
  if (failure === null) return null;
  if (failure.refused !== undefined) return make("p", {}, `The backend refused: ${text(failure.refused)}`);
  const check = problem.checks[failure.index], shown = problem.shown.includes(failure.index);
  const rows = [];
  const add = (name, value) => rows.push(make("dt", {}, name), make("dd", {}, value));
  if (check !== undefined) add(`check ${failure.index}${shown ? " (shown)" : ""}`, make("pre", {}, text(check)));
  if (failure.error_type !== undefined) add("error", make("pre", {}, `${text(failure.error_type)}: ${failure.message === undefined ? "" : text(failure.message)}`));
  else if (failure.message !== undefined) add("message", make("pre", {}, text(failure.message)));
  const [got, expected] = [failure.got, failure.expected].map((value) => (value === undefined ? null : text(value)));
  if (got !== null) add("got", expected === null ? make("pre", {}, got) : parted(got, expected));
  if (expected !== null) add("expected", got === null ? make("pre", {}, expected) : parted(expected, got));
  if (failure.output !== undefined) add("output", make("pre", {}, text(failure.output)));
  return make("dl", { class: "values", "aria-label": "Failing check" }, rows);
}

function programView(program, run, problem) {
  const text = (at) => run.texts[at], failure = program.failure < 0 ? null : run.failures[program.failure];
  const facts = [program.tokens !== null && `${program.tokens} tokens`, program.heat !== null && `temperature ${program.heat}`];
  return make("div", {},
    make("p", {}, said(program.outcome), " ", make("span", { class: "faint" }, facts.filter(Boolean).join(", "))),
    listing(text(program.source), failure === null ? undefined : failure.line),
    failing(failure, problem, text));
}
