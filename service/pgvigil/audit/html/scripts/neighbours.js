// Draws a table between those that refer to it and those that it refers to, and puts all of them back again.
const pgvigilNeighbours = (() => {
  const LETTER = 6.8;
  const [HEIGHT, GAP, APART] = [20, 8, 110];
  const MOST_IN_COLUMN = 24;
  const before = new Map(); // what was changed, as it was

  function set(element, attributes) {
    if (!before.has(element)) {
      const names = Object.keys(attributes);
      before.set(element, [Object.fromEntries(names.map(each => [each, element.getAttribute(each)])), element.textContent]);
    }
    for (const [each, value] of Object.entries(attributes)) element.setAttribute(each, value);
  }

  const width = node => node.dataset.name.length * LETTER + 16;

  function put(node, x, y) {
    set(node.querySelector("rect"), { x, y, width: width(node) });
    const text = node.querySelector("text");
    set(text, { x: x + 8, y: y + 14 });
    text.textContent = node.dataset.name; // its schema's frame is not there
  }

  // Columns of tables beside one another; returns where they end.
  function columns(nodes, x, middle) {
    for (let first = 0; first < nodes.length; first += MOST_IN_COLUMN) {
      const column = nodes.slice(first, first + MOST_IN_COLUMN);
      const top = middle - (column.length * (HEIGHT + GAP) - GAP) / 2;
      column.forEach((each, place) => put(each, x, top + place * (HEIGHT + GAP)));
      x += Math.max(...column.map(width)) + 24;
    }
    return x - 24;
  }

  function join(edge, child, parent) {
    const box = node => ["x", "y", "width"].map(each => Number(node.querySelector("rect").getAttribute(each)));
    const [[x, y, wide], [toX, toY, toWide]] = [box(child), box(parent)];
    // Out of the side that faces the parent, a little lower where the other direction may be taken.
    const back = x > toX;
    const [from, at] = [back ? x : x + wide, y + HEIGHT / 2 + (back ? 5 : 0)];
    const [end, to] = [back ? toX + toWide : toX, toY + HEIGHT / 2 + (back ? 5 : 0)];
    const bend = (end - from) / 2;
    let path = `M${from},${at}C${from + bend},${at} ${end - bend},${to} ${end},${to}`;
    let middle = [(from + end) / 2, (at + to) / 2];
    if (child === parent) {
      path = `M${from},${at + 5}C${from + 30},${at + 17} ${from + 30},${at - 17} ${from},${at - 5}`;
      middle = [from + 22, at];
    }
    for (const each of edge.querySelectorAll(".line, .near")) set(each, { d: path });
    const mark = edge.querySelector(".mark");
    if (mark) set(mark, { d: `M${middle[0] - 4},${middle[1] - 4}l8,8m0,-8l-8,8` });
  }

  function gather(chosen, nodes, edges) {
    const byId = new Map(nodes.map(each => [each.dataset.table, each]));
    const of = end => new Set(edges.map(each => byId.get(each.dataset[end])).filter(each => each !== chosen));
    const parents = of("parent");
    const children = new Set([...of("child")].filter(each => !parents.has(each)));
    const byName = some => [...some].sort((a, b) => a.dataset.name.localeCompare(b.dataset.name));
    const end = columns(byName(children), 0, 0);
    put(chosen, children.size ? end + APART : 0, -HEIGHT / 2);
    columns(byName(parents), (children.size ? end + APART : 0) + width(chosen) + APART, 0);
    for (const each of edges) join(each, byId.get(each.dataset.child), byId.get(each.dataset.parent));
    return nodes;
  }

  function disperse() {
    for (const [element, [attributes, text]] of before) {
      for (const [each, value] of Object.entries(attributes)) element.setAttribute(each, value);
      if (element.matches("text")) element.textContent = text;
    }
    before.clear();
  }

  return { gather, disperse };
})();
