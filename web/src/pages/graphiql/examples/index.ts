import addADam from "./add-a-dam.graphql?raw";
import damsAsTheyAreAdded from "./dams-as-they-are-added.graphql?raw";
import damsNearAPoint from "./dams-near-a-point.graphql?raw";
import pageOfDams from "./page-of-dams.graphql?raw";

/** The tabs of a first visit. */
export const EXAMPLES = [pageOfDams, damsNearAPoint, addADam, damsAsTheyAreAdded].map((query) => ({ query }));
