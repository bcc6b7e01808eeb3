// Makes the map move, finds things in it, and tells of them what the page holds further below.
(() => {
  const MOST_ZOOM = 4; // screen pixels for one of the map
  const READABLE = 0.5; // below this the names of tables are too small
  const MOST_NAMED = 25; // as many names can be read from afar, where they are larger than their boxes
  const EDGE = 40;
  const find = id => document.getElementById(id);
  const all = selector => [...document.querySelectorAll(selector)];
  const map = find("map");
  const drawing = find("drawing");
  const { gather, disperse } = pgvigilNeighbours;
  const panel = find("panel");
  const search = find("search");
  const nodes = all("#drawing .node");
  const edges = all("#drawing .edge");
  const node = new Map(nodes.map(each => [each.dataset.table, each]));
  const edge = new Map(edges.map(each => [each.dataset.relation, each]));
  const whole = drawing.getAttribute("viewBox").split(" ").map(Number);
  let view = [...whole]; // x, y, width, height of what is shown, in pixels of the map
  let chosen = null; // the table or relation in the panel
  let around = false; // whether only the neighbours of it are shown

  // What is shown of the map

  function scale() {
    return Math.min(drawing.clientWidth / view[2], drawing.clientHeight / view[3]);
  }

  function show([x, y, width, height]) {
    view = [x, y, width, height];
    drawing.setAttribute("viewBox", view.map(each => each.toFixed(1)).join(" "));
    drawing.classList.toggle("far", scale() < READABLE);
    drawing.style.setProperty("--scale", scale());
  }

  function zoom(factor, at = [view[0] + view[2] / 2, view[1] + view[3] / 2]) {
    const least = Math.min(factor, MOST_ZOOM / scale());
    const most = Math.max(least, Math.min(1, whole[2] / view[2] / 1.5, whole[3] / view[3] / 1.5));
    const [width, height] = [view[2] / most, view[3] / most];
    show([at[0] - (at[0] - view[0]) / most, at[1] - (at[1] - view[1]) / most, width, height]);
  }

  function move(x, y) {
    show([view[0] + x, view[1] + y, view[2], view[3]]);
  }

  function showAll(elements) {
    const boxes = elements.filter(each => !each.classList.contains("off")).map(each => each.getBBox());
    if (!boxes.length) return show(whole);
    const [left, top] = [Math.min(...boxes.map(b => b.x)), Math.min(...boxes.map(b => b.y))];
    const right = Math.max(...boxes.map(b => b.x + b.width));
    const bottom = Math.max(...boxes.map(b => b.y + b.height));
    // No larger than life, and not under the panel.
    const width = Math.max(right - left + 2 * EDGE, drawing.clientWidth / 1.5);
    const height = Math.max(bottom - top + 2 * EDGE, drawing.clientHeight / 1.5);
    const covered = panel.hidden ? 0 : panel.offsetWidth / drawing.clientWidth;
    const wide = covered < 0.6 ? width / (1 - covered) : width;
    show([(left + right - width) / 2, (top + bottom - height) / 2, wide, height]);
  }

  function point(event) {
    return new DOMPoint(event.clientX, event.clientY).matrixTransform(drawing.getScreenCTM().inverse());
  }

  function turned(event) {
    if (!(event.ctrlKey || event.metaKey || document.fullscreenElement)) return;
    event.preventDefault();
    const { x, y } = point(event);
    zoom(Math.exp(-event.deltaY * (event.ctrlKey ? 0.004 : 0.002)), [x, y]);
  }

  // One pointer moves the map, two of them zoom as well.
  const pointers = new Map();
  let dragged = 0;

  function pressed(event) {
    if (event.button) return;
    if (!pointers.size) dragged = 0;
    pointers.set(event.pointerId, event);
  }

  function pulled(event) {
    const before = pointers.get(event.pointerId);
    if (!before) return;
    const [x, y] = [event.clientX - before.clientX, event.clientY - before.clientY];
    dragged += Math.abs(x) + Math.abs(y);
    if (dragged < 4) return;
    if (!drawing.hasPointerCapture(event.pointerId)) drawing.setPointerCapture(event.pointerId);
    drawing.classList.add("moving");
    const per = scale() * pointers.size;
    move(-x / per, -y / per);
    const other = [...pointers.values()].find(each => each.pointerId !== event.pointerId);
    if (other) {
      const apart = each => Math.hypot(each.clientX - other.clientX, each.clientY - other.clientY);
      const { x: atX, y: atY } = point(other);
      zoom(apart(event) / Math.max(apart(before), 1), [atX, atY]);
    }
    pointers.set(event.pointerId, event);
  }

  function released(event) {
    pointers.delete(event.pointerId);
    drawing.classList.toggle("moving", pointers.size > 0);
  }

  const KEYS = {
    "+": () => zoom(1.3), "=": () => zoom(1.3), "-": () => zoom(1 / 1.3), "0": () => show(whole),
    ArrowLeft: () => move(-view[2] / 10, 0), ArrowRight: () => move(view[2] / 10, 0),
    ArrowUp: () => move(0, -view[3] / 10), ArrowDown: () => move(0, view[3] / 10),
    Escape: () => choose(null),
  };

  function typed(event) {
    const act = KEYS[event.key];
    if (!act || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    act();
  }

  // The chosen table or relation

  function neighbourhood() {
    if (!chosen) return [[], []];
    if (chosen.matches(".edge")) return [[node.get(chosen.dataset.child), node.get(chosen.dataset.parent)], [chosen]];
    const id = chosen.dataset.table;
    const near = edges.filter(each => each.dataset.child === id || each.dataset.parent === id);
    const ends = new Set([chosen, ...near.flatMap(each => [node.get(each.dataset.child), node.get(each.dataset.parent)])]);
    return [[...ends], near];
  }

  function told(element) {
    const title = document.createElement("h3");
    title.tabIndex = -1;
    if (element.matches(".node")) {
      title.textContent = element.dataset.name;
      return [title, ...find(element.dataset.table).querySelector(".told").cloneNode(true).childNodes];
    }
    const row = find(element.dataset.relation);
    title.append(...row.cells[0].cloneNode(true).childNodes);
    const list = document.createElement("dl");
    [...row.cells].slice(1).forEach((cell, place) => {
      if (!cell.textContent.trim()) return;
      const [name, words] = [document.createElement("dt"), document.createElement("dd")];
      name.textContent = row.closest("table").tHead.rows[0].cells[place + 1].textContent;
      words.append(...cell.cloneNode(true).childNodes);
      list.append(name, words);
    });
    return [title, list];
  }

  function choose(element, { look = false } = {}) {
    chosen?.classList.remove("chosen");
    chosen = element;
    disperse();
    if (!chosen?.matches(".node")) around = false;
    find("around").hidden = !chosen?.matches(".node");
    panel.hidden = !chosen;
    if (chosen) {
      chosen.classList.add("chosen");
      find("told").replaceChildren(...told(chosen));
      panel.scrollTop = 0;
    }
    apply();
    if (around) showAll(gather(chosen, ...neighbourhood()));
    else if (chosen && look) showAll(neighbourhood()[0]);
    else if (chosen) uncover(chosen);
  }

  function uncover(element) {
    const [box, cover] = [element.getBoundingClientRect(), panel.getBoundingClientRect()];
    if (box.right > cover.left - EDGE) move((box.right - cover.left + 2 * EDGE) / scale(), 0);
  }

  function follow(event) {
    const link = event.target.closest("a[data-table], a[data-relation]");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
    const onMap = drawing.contains(link);
    if (onMap && dragged >= 4) return event.preventDefault();
    const element = node.get(link.dataset.table) ?? edge.get(link.dataset.relation);
    if (!element) return;
    event.preventDefault();
    choose(element, { look: !onMap });
    if (onMap) return;
    if (!panel.contains(link)) map.scrollIntoView({ block: "start" });
    find("told").querySelector("h3").focus({ preventScroll: true });
  }

  // Search and filters: of the map and of the tables below it

  function ticked(name) {
    return new Set(all(`input[name="${name}"]:checked`).map(each => each.value));
  }

  function apply() {
    const [schemas, origins] = [ticked("schema"), ticked("origin")];
    const sought = search.value.trim().toLowerCase();
    const [near, nearEdges] = neighbourhood().map(each => new Set(each));
    const off = (element, gone) => element.classList.toggle("off", gone);
    const hits = new Set();
    for (const each of nodes) {
      const gone = !schemas.has(each.dataset.schema) || (around && !near.has(each));
      const hit = sought !== "" && !gone && holds(each, sought);
      if (hit) hits.add(each.dataset.table);
      off(each, gone);
      each.classList.toggle("hit", hit);
      each.classList.toggle("lit", hit || near.has(each));
    }
    for (const each of edges) {
      const gone = [each.dataset.child, each.dataset.parent].some(id => node.get(id).classList.contains("off"));
      off(each, gone || !origins.has(each.dataset.origin) || (around && !nearEdges.has(each)));
      each.classList.toggle("lit", nearEdges.has(each));
    }
    for (const each of all("#drawing .region, #drawing .afar text")) {
      off(each, around || !schemas.has(each.dataset.schema));
    }
    const named = hits.size || near.size;
    drawing.classList.toggle("choosing", near.size + hits.size > 0 || sought !== "");
    drawing.classList.toggle("naming", named <= MOST_NAMED);
    narrow(schemas, origins, sought, hits);
    find("found").textContent = sought ? `${hits.size} of ${nodes.length} tables` : "";
    find("around").setAttribute("aria-pressed", around);
    return hits;
  }

  // A table is found by its name, and by its columns' names.
  const columns = new Map();

  function holds(each, sought) {
    if (each.dataset.name.toLowerCase().includes(sought)) return true;
    const id = each.dataset.table;
    if (!columns.has(id)) {
      const names = [...find(id).querySelectorAll(".columns tbody th")].map(cell => cell.textContent.toLowerCase());
      columns.set(id, names.join("\n"));
    }
    return columns.get(id).includes(sought);
  }

  function narrow(schemas, origins, sought, hits) {
    for (const row of all("[data-ends], tr[data-schema]")) {
      const ends = (row.dataset.ends ?? "").split(" ").filter(id => node.has(id));
      const schema = row.dataset.schema;
      const gone = ends.some(id => !schemas.has(node.get(id).dataset.schema)) || (schema !== undefined && !schemas.has(schema));
      const missed = sought && !ends.some(id => hits.has(id)) && !row.textContent.toLowerCase().includes(sought);
      row.classList.toggle("off", gone || missed || ("origin" in row.dataset && !origins.has(row.dataset.origin)));
    }
  }

  function sought(event) {
    event.preventDefault();
    const hits = [...apply()].map(id => node.get(id));
    const exact = hits.filter(each => each.dataset.name.toLowerCase().endsWith(search.value.trim().toLowerCase()));
    if (hits.length === 1 || exact.length === 1) choose(exact[0] ?? hits[0], { look: true });
    else if (hits.length) showAll(hits);
  }

  map.classList.add("live");
  for (const each of all(".tools, .hint, .legend input")) each.hidden = false;
  drawing.addEventListener("wheel", turned, { passive: false });
  drawing.addEventListener("pointerdown", pressed);
  drawing.addEventListener("pointermove", pulled);
  drawing.addEventListener("pointerup", released);
  drawing.addEventListener("pointercancel", released);
  drawing.addEventListener("dragstart", event => event.preventDefault());
  drawing.addEventListener("keydown", typed);
  document.addEventListener("click", follow);
  search.addEventListener("input", apply);
  all(".tools")[0].addEventListener("submit", sought);
  map.addEventListener("change", event => event.target.matches('[type="checkbox"]') && apply());
  for (const each of all("[data-all], [data-none]")) {
    each.addEventListener("click", () => {
      for (const box of all('input[name="schema"]')) box.checked = "all" in each.dataset;
      apply();
    });
  }
  const zooms = { in: () => zoom(1.3), out: () => zoom(1 / 1.3), all: () => show(whole) };
  for (const each of all("[data-zoom]")) each.addEventListener("click", zooms[each.dataset.zoom]);
  find("close").addEventListener("click", () => choose(null));
  find("around").addEventListener("click", () => {
    around = !around;
    choose(chosen);
    if (!around) show(whole);
  });
  if (document.fullscreenEnabled) find("screen").addEventListener("click", () => (document.fullscreenElement ? document.exitFullscreen() : map.requestFullscreen()));
  else find("screen").hidden = true;
  document.addEventListener("fullscreenchange", () => show(view));
  addEventListener("resize", () => show(view));
  addEventListener("beforeprint", () => show(whole));
  show(whole);
})();
