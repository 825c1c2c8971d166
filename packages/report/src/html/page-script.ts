/// <reference lib="dom" />

/**
 * What makes the page answer. It runs in a browser: {@link pageScript} is its
 * text, so it may use nothing outside itself. Strings of the record reach the
 * page as text only.
 */
function runPage(): void {
  interface Block {
    readonly cell: string;
    /** Its index, as in the page. */
    readonly scenario: number;
    /** Block, process, index of the mode, then times. */
    readonly rows: readonly (readonly (number | null)[])[];
  }
  const element = (id: string): HTMLElement => document.getElementById(id)!;
  const { modes, cells: blocks } = JSON.parse(element("blocks").textContent ?? "") as {
    readonly modes: readonly string[];
    readonly cells: readonly Block[];
  };
  const scenario = element("scenario") as HTMLSelectElement;
  const cell = element("cell") as HTMLSelectElement;
  const rows = element("rows") as HTMLTableSectionElement;
  const status = element("shown");
  const page = element("page");
  const previous = element("previous") as HTMLButtonElement;
  const next = element("next") as HTMLButtonElement;
  const tip = element("tip");
  const heads = [...element("rows").parentElement!.querySelectorAll("th")].map(
    ({ textContent }) => textContent,
  );
  const pageSize = 40;
  let first = 0;

  function showRows(): void {
    const all = blocks[Number(cell.value)]?.rows ?? [];
    rows.replaceChildren(
      ...all.slice(first, first + pageSize).map((values) => {
        const row = document.createElement("tr");
        for (const [column, value] of values.entries()) {
          const data = document.createElement("td");
          const isMode = column === 2;
          if (!isMode) data.className = "number";
          data.dataset["name"] = heads[column] ?? "";
          data.textContent = value === null ? "–" : (isMode && modes[value]) || String(value);
          row.append(data);
        }
        return row;
      }),
    );
    const last = Math.min(first + pageSize, all.length);
    page.textContent =
      all.length === 0 ? "No runs." : `Runs ${first + 1} to ${last} of ${all.length}`;
    previous.disabled = first === 0;
    next.disabled = last >= all.length;
  }

  function showCells(): void {
    const options = blocks.flatMap((block, index) =>
      scenario.value === "" || String(block.scenario) === scenario.value
        ? [new Option(block.cell, String(index))]
        : [],
    );
    cell.replaceChildren(...options);
    first = 0;
    showRows();
  }

  function filter(): void {
    let count = 0;
    for (const part of document.querySelectorAll<HTMLElement>("[data-scenario]")) {
      part.hidden = scenario.value !== "" && part.dataset["scenario"] !== scenario.value;
      if (!part.hidden && part.matches("section.cell")) count += 1;
      // What was chosen is shown without one more click.
      if (part instanceof HTMLDetailsElement && scenario.value !== "") part.open = !part.hidden;
    }
    status.textContent = `${count} ${count === 1 ? "cell" : "cells"} shown`;
    showCells();
  }

  scenario.addEventListener("change", filter);
  cell.addEventListener("change", () => {
    first = 0;
    showRows();
  });
  previous.addEventListener("click", () => {
    first = Math.max(0, first - pageSize);
    showRows();
  });
  next.addEventListener("click", () => {
    first += pageSize;
    showRows();
  });
  document.addEventListener("pointermove", (event) => {
    const mark =
      event.target instanceof SVGElement ? event.target.closest("[role=graphics-symbol]") : null;
    const text = mark?.getAttribute("aria-roledescription") === "axis" ? null : mark?.ariaLabel;
    tip.hidden = text === null || text === undefined || text === "";
    if (tip.hidden) return;
    tip.textContent = text ?? "";
    const { width } = tip.getBoundingClientRect();
    tip.style.left = `${Math.max(4, Math.min(event.clientX + 12, innerWidth - width - 8))}px`;
    tip.style.top = `${event.clientY + 14}px`;
  });
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") tip.hidden = true;
  });
  for (const part of document.querySelectorAll<HTMLElement>("[data-needs-script]")) {
    part.hidden = false;
  }
  filter();
}

/** The text of a script that makes the page answer. */
export const pageScript: string = `(${runPage.toString()})();`;
