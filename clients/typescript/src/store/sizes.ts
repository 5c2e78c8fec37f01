/** How much is loaded and kept. Tests have their own, so that few messages make many pages. */

/** Messages of a history's page, and conversations of the list's. */
export const PAGE = 50;
/** The most that the API gives at once: of a history, and of the list. */
export const LARGEST_HISTORY_PAGE = 100;
export const LARGEST_LIST_PAGE = 200;
/** Pages of a history that are read again at most after something was missed; older ones can be loaded again. */
export const MOST_PAGES = 10;
/** A page that is older than a recall or a change is long here when so many more of them have come. */
export const REMEMBERED = 1_000;
/** Histories that nobody holds open and that are kept up to date all the same, so that they are there at once. */
export const KEPT = 20;
