// A problem's repair tree, or dialog: walked with the arrow keys; words stand between the programs they are about.
const ROLES = { program: "program", repair: "repair", joint: "words and repair", feedback: "feedback", hint: "hint" };

function treeView(nodes, run, problem, programs) {
  const byName = new Map(nodes.map((node) => [node.name, { ...node, below: [] }]));
  const roots = [];
  for (const node of byName.values()) {
    const above = byName.get(node.name.slice(0, Math.max(0, node.name.lastIndexOf("."))));
    (above === undefined ? roots : above.below).push(node);
  }
  const place = make("div", { "aria-live": "polite" });
  const tree = make("ul", { role: "tree", "aria-label": "Repair tree", onkeydown: walk }, roots.map((root) => item(root)));
  const items = () => [...tree.querySelectorAll('[role="treeitem"]')].filter((each) => each.closest('[aria-expanded="false"]') === null || each.getAttribute("aria-expanded") === "false" && each.parentElement.closest('[aria-expanded="false"]') === null);

  function item(node) {
    const words = node.kind === "feedback" || node.kind === "hint";
    const facts = [node.name, node.model, node.tokens !== null && `${node.tokens} tokens`].filter(Boolean).join(", ");
    const found = make("li", { role: "treeitem", tabindex: -1, "aria-selected": "false", "aria-expanded": node.below.length > 0 && "true" },
      make("div", { class: "node", onclick: () => choose(found) }, make("b", {}, ROLES[node.kind]), node.outcome && said(node.outcome),
        node.recorded !== null && node.outcome === null && said(node.recorded ? "passed" : "wrong_answer"), make("span", { class: "faint" }, facts)),
      words && make("div", { class: "words" }, run.texts[node.text]),
      node.below.length > 0 && make("ul", { role: "group" }, node.below.map(item)));
    found.node = node;
    return found;
  }

  function choose(chosen) {
    for (const each of tree.querySelectorAll('[role="treeitem"]')) {
      each.setAttribute("aria-selected", String(each === chosen));
      each.tabIndex = each === chosen ? 0 : -1;
    }
    chosen.focus({ preventScroll: true });
    chosen.firstElementChild.scrollIntoView({ block: "nearest" });
    place.replaceChildren(opened(chosen.node));
  }

  function opened(node) {
    const [root, ...rest] = node.name.split("."), role = rest.length ? `${node.kind}:${rest.join(".")}` : "sample";
    const program = programs.find((each) => each.index === Number(root) && each.role === role);
    if (program !== undefined) return programView(program, run, problem);
    return node.kind === "feedback" || node.kind === "hint" ? make("div", { class: "words" }, run.texts[node.text]) : listing(run.texts[node.text]);
  }

  function walk(event) {
    const all = items(), at = all.indexOf(document.activeElement), here = all[at];
    if (here === undefined) return;
    const open = here.getAttribute("aria-expanded");
    const fold = (to) => { here.setAttribute("aria-expanded", to); here.lastElementChild.hidden = to === "false"; };
    const to = { ArrowDown: all[at + 1], ArrowUp: all[at - 1], Home: all[0], End: all[all.length - 1] }[event.key];
    if (event.key === "ArrowRight" && open === "false") fold("true");
    else if (event.key === "ArrowLeft" && open === "true") fold("false");
    else if (event.key === "ArrowRight" && open === "true") choose(all[at + 1]);
    else if (event.key === "ArrowLeft" && here.parentElement.closest('[role="treeitem"]')) choose(here.parentElement.closest('[role="treeitem"]'));
    else if (to !== undefined) choose(to);
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  if (tree.firstElementChild) {
    tree.firstElementChild.tabIndex = 0;
    tree.firstElementChild.setAttribute("aria-selected", "true");
    place.replaceChildren(opened(tree.firstElementChild.node));
  }
  return make("div", {}, tree, place);
}
