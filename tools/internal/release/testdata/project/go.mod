module example.com/project

go 1.25.0
