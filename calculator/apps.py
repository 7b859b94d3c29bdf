from django.apps import AppConfig


class CalculatorConfig(AppConfig):
    name = "calculator"

    def ready(self) -> None:
        from calculator.kept_graphs import KeptGraphs
        from calculator.memory.llama_cpp.graph import keep_in

        keep_in(KeptGraphs())
