import { ApolloProvider } from "@apollo/client/react";
import { client } from "../../apollo/client";
import { mount } from "../../mount";
import { Home } from "./Home";
import "../../base.css";
import "./home.css";

mount(
  <ApolloProvider client={client}>
    <Home />
  </ApolloProvider>,
);
