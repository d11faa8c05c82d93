import "graphiql/setup-workers/vite";
import "graphiql/style.css";
import { mount } from "../../mount";
import { Explorer } from "./Explorer";
import "../../base.css";
import "./graphiql.css";

mount(<Explorer />);
