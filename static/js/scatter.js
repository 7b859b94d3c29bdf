/* Every point of a chart of models is a link: arrow keys go from one to the next, and a finger need not hit it exactly. */

const REACH = 22; // CSS pixels between a finger and the point it means

const points = (chart) => [...chart.querySelectorAll("a.point")];

function middle(point) {
  const box = point.querySelector(".dots, .dot").getBoundingClientRect();
  return [box.x + box.width / 2, box.y + box.height / 2];
}

/* By memory, from the left: the way along which the chart is read. */
function step(event) {
  const point = event.target.closest?.(".scatter a.point");
  const by = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
  if (!point || !by) return;
  const inOrder = points(point.closest("svg")).sort((one, other) => middle(one)[0] - middle(other)[0]);
  const next = inOrder[inOrder.indexOf(point) + by];
  event.preventDefault();
  next?.focus();
}

function tap(event) {
  const chart = event.target.closest?.(".scatter svg");
  if (!chart || event.target.closest("a")) return;
  const far = (point) => Math.hypot(middle(point)[0] - event.clientX, middle(point)[1] - event.clientY);
  const nearest = points(chart)
    .map((point) => [far(point), point])
    .sort(([one], [other]) => one - other)[0];
  if (nearest && nearest[0] <= REACH) location.assign(nearest[1].href.baseVal);
}

/* What a point says when it is pointed at is written beside it: few have room for a name of their own. */
function tell(event) {
  const point = event.target.closest?.(".scatter a.point[tabindex]");
  if (!point) return;
  const chart = point.closest("svg");
  const { x, y, width } = point.querySelector(".dots").getBBox();
  const told = chart.querySelector(".told");
  told.textContent = point.querySelector("title").textContent;
  const half = told.getBBox().width / 2;
  const { width: whole } = chart.viewBox.baseVal;
  told.setAttribute("x", Math.min(Math.max(x + width / 2, half), whole - half));
  told.setAttribute("y", y < 30 ? y + 20 : y - 10);
}

document.addEventListener("focusin", tell);
document.addEventListener("pointerover", tell);
document.addEventListener("keydown", step);
document.addEventListener("click", tap);
