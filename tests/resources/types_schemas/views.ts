export type Json =
  | string
  | number
  | boolean
  | null
  | { [key: string]: Json | undefined }
  | Json[]

export type Database = {
  // Allows to automatically instantiate createClient with right options
  // instead of createClient<Database, { PostgrestVersion: 'XX' }>(URL, KEY)
  __InternalSupabase: {
    PostgrestVersion: "12.0.2"
  }
  other: {
    Tables: {
      editions: {
        Row: {
          book: number | null
          id: number
        }
        Insert: {
          book?: number | null
          id: number
        }
        Update: {
          book?: number | null
          id?: number
        }
        Relationships: [
          {
            foreignKeyName: "editions_book_fkey"
            columns: ["book"]
            isOneToOne: false
            referencedRelation: "books"
            referencedColumns: ["id"]
          },
        ]
      }
    }
    Views: {
      books: {
        Row: {
          author: number | null
          id: number | null
          sequel: number | null
        }
        Insert: {
          author?: number | null
          id?: number | null
          sequel?: number | null
        }
        Update: {
          author?: number | null
          id?: number | null
          sequel?: number | null
        }
        Relationships: [
          {
            foreignKeyName: "books_sequel_fkey"
            columns: ["sequel"]
            isOneToOne: true
            referencedRelation: "books"
            referencedColumns: ["id"]
          },
        ]
      }
      editions_view: {
        Row: {
          book: number | null
          edition: number | null
        }
        Insert: {
          book?: number | null
          edition?: number | null
        }
        Update: {
          book?: number | null
          edition?: number | null
        }
        Relationships: [
          {
            foreignKeyName: "editions_book_fkey"
            columns: ["book"]
            isOneToOne: false
            referencedRelation: "books"
            referencedColumns: ["id"]
          },
        ]
      }
    }
    Functions: {
      [_ in never]: never
    }
    Enums: {
      [_ in never]: never
    }
    CompositeTypes: {
      [_ in never]: never
    }
  }
  public: {
    Tables: {
      authors: {
        Row: {
          id: number
          name: string | null
          "odd :resorigtbl 5 :resorigcol 1 \\ (x)": number | null
          "odd {name}": number | null
        }
        Insert: {
          id: number
          name?: string | null
          "odd :resorigtbl 5 :resorigcol 1 \\ (x)"?: number | null
          "odd {name}"?: number | null
        }
        Update: {
          id?: number
          name?: string | null
          "odd :resorigtbl 5 :resorigcol 1 \\ (x)"?: number | null
          "odd {name}"?: number | null
        }
        Relationships: []
      }
      books: {
        Row: {
          author: number
          country: string | null
          doubled: number | null
          editor: number | null
          id: number
          number: number | null
          sequel: number | null
          title: string
        }
        Insert: {
          author: number
          country?: string | null
          doubled?: never
          editor?: number | null
          id?: never
          number?: number | null
          sequel?: number | null
          title: string
        }
        Update: {
          author?: number
          country?: string | null
          doubled?: never
          editor?: number | null
          id?: never
          number?: number | null
          sequel?: number | null
          title?: string
        }
        Relationships: [
          {
            foreignKeyName: "books_author_fkey"
            columns: ["author"]
            isOneToOne: false
            referencedRelation: "authors"
            referencedColumns: ["id"]
          },
          {
            foreignKeyName: "books_author_fkey"
            columns: ["author"]
            isOneToOne: false
            referencedRelation: "joined"
            referencedColumns: ["author_id"]
          },
          {
            foreignKeyName: "books_author_fkey"
            columns: ["author"]
            isOneToOne: false
            referencedRelation: "odd"
            referencedColumns: ["id"]
          },
          {
            foreignKeyName: "books_author_fkey"
            columns: ["author"]
            isOneToOne: false
            referencedRelation: "with_lateral"
            referencedColumns: ["id"]
          },
          {
            foreignKeyName: "books_country_number_fkey"
            columns: ["country", "number"]
            isOneToOne: false
            referencedRelation: "joined"
            referencedColumns: ["country", "number"]
          },
          {
            foreignKeyName: "books_country_number_fkey"
            columns: ["country", "number"]
            isOneToOne: false
            referencedRelation: "publishers"
            referencedColumns: ["country", "number"]
          },
          {
            foreignKeyName: "books_editor_fkey"
            columns: ["editor"]
            isOneToOne: false
            referencedRelation: "authors"
            referencedColumns: ["id"]
          },
          {
            foreignKeyName: "books_editor_fkey"
            columns: ["editor"]
            isOneToOne: false
            referencedRelation: "joined"
            referencedColumns: ["author_id"]
          },
          {
            foreignKeyName: "books_editor_fkey"
            columns: ["editor"]
            isOneToOne: false
            referencedRelation: "odd"
            referencedColumns: ["id"]
          },
          {
            foreignKeyName: "books_editor_fkey"
            columns: ["editor"]
            isOneToOne: false
            referencedRelation: "with_lateral"
            referencedColumns: ["id"]
          },
          {
            foreignKeyName: "books_sequel_fkey"
            columns: ["sequel"]
            isOneToOne: true
            referencedRelation: "books"
            referencedColumns: ["id"]
          },
          {
            foreignKeyName: "books_sequel_fkey"
            columns: ["sequel"]
            isOneToOne: true
            referencedRelation: "checked"
            referencedColumns: ["id"]
          },
          {
            foreignKeyName: "books_sequel_fkey"
            columns: ["sequel"]
            isOneToOne: true
            referencedRelation: "half_key"
            referencedColumns: ["id"]
          },
          {
            foreignKeyName: "books_sequel_fkey"
            columns: ["sequel"]
            isOneToOne: true
            referencedRelation: "joined"
            referencedColumns: ["id"]
          },
          {
            foreignKeyName: "books_sequel_fkey"
            columns: ["sequel"]
            isOneToOne: true
            referencedRelation: "of_view"
            referencedColumns: ["book_id"]
          },
          {
            foreignKeyName: "books_sequel_fkey"
            columns: ["sequel"]
            isOneToOne: true
            referencedRelation: "of_view_of_view"
            referencedColumns: ["deep"]
          },
          {
            foreignKeyName: "books_sequel_fkey"
            columns: ["sequel"]
            isOneToOne: true
            referencedRelation: "over_shelf"
            referencedColumns: ["id"]
          },
          {
            foreignKeyName: "books_sequel_fkey"
            columns: ["sequel"]
            isOneToOne: true
            referencedRelation: "pairs"
            referencedColumns: ["a"]
          },
          {
            foreignKeyName: "books_sequel_fkey"
            columns: ["sequel"]
            isOneToOne: true
            referencedRelation: "pairs"
            referencedColumns: ["b"]
          },
          {
            foreignKeyName: "books_sequel_fkey"
            columns: ["sequel"]
            isOneToOne: true
            referencedRelation: "plain_books"
            referencedColumns: ["id"]
          },
          {
            foreignKeyName: "books_sequel_fkey"
            columns: ["sequel"]
            isOneToOne: true
            referencedRelation: "renamed"
            referencedColumns: ["book_id"]
          },
          {
            foreignKeyName: "books_sequel_fkey"
            columns: ["sequel"]
            isOneToOne: true
            referencedRelation: "ruled_also"
            referencedColumns: ["id"]
          },
          {
            foreignKeyName: "books_sequel_fkey"
            columns: ["sequel"]
            isOneToOne: true
            referencedRelation: "shelf"
            referencedColumns: ["id"]
          },
          {
            foreignKeyName: "books_sequel_fkey"
            columns: ["sequel"]
            isOneToOne: true
            referencedRelation: "shelf_of_view"
            referencedColumns: ["book_id"]
          },
          {
            foreignKeyName: "books_sequel_fkey"
            columns: ["sequel"]
            isOneToOne: true
            referencedRelation: "sorted"
            referencedColumns: ["id"]
          },
          {
            foreignKeyName: "books_sequel_fkey"
            columns: ["sequel"]
            isOneToOne: true
            referencedRelation: "twice"
            referencedColumns: ["one"]
          },
          {
            foreignKeyName: "books_sequel_fkey"
            columns: ["sequel"]
            isOneToOne: true
            referencedRelation: "twice"
            referencedColumns: ["two"]
          },
          {
            foreignKeyName: "books_sequel_fkey"
            columns: ["sequel"]
            isOneToOne: true
            referencedRelation: "updated"
            referencedColumns: ["id"]
          },
          {
            foreignKeyName: "books_sequel_fkey"
            columns: ["sequel"]
            isOneToOne: true
            referencedRelation: "whole_key"
            referencedColumns: ["id"]
          },
          {
            foreignKeyName: "books_sequel_fkey"
            columns: ["sequel"]
            isOneToOne: true
            referencedRelation: "whole_row"
            referencedColumns: ["id"]
          },
          {
            foreignKeyName: "books_sequel_fkey"
            columns: ["sequel"]
            isOneToOne: true
            referencedRelation: "with_cte"
            referencedColumns: ["id"]
          },
          {
            foreignKeyName: "books_sequel_fkey"
            columns: ["sequel"]
            isOneToOne: true
            referencedRelation: "with_lateral"
            referencedColumns: ["book"]
          },
          {
            foreignKeyName: "books_sequel_fkey"
            columns: ["sequel"]
            isOneToOne: true
            referencedRelation: "with_subquery"
            referencedColumns: ["id"]
          },
          {
            foreignKeyName: "books_sequel_fkey"
            columns: ["sequel"]
            isOneToOne: true
            referencedRelation: "with_window"
            referencedColumns: ["id"]
          },
        ]
      }
      covers: {
        Row: {
          book: number
          image: string | null
        }
        Insert: {
          book: number
          image?: string | null
        }
        Update: {
          book?: number
          image?: string | null
        }
        Relationships: [
          {
            foreignKeyName: "covers_book_fkey"
            columns: ["book"]
            isOneToOne: true
            referencedRelation: "books"
            referencedColumns: ["id"]
          },
          {
            foreignKeyName: "covers_book_fkey"
            columns: ["book"]
            isOneToOne: true
            referencedRelation: "checked"
            referencedColumns: ["id"]
          },
          {
            foreignKeyName: "covers_book_fkey"
            columns: ["book"]
            isOneToOne: true
            referencedRelation: "half_key"
            referencedColumns: ["id"]
          },
          {
            foreignKeyName: "covers_book_fkey"
            columns: ["book"]
            isOneToOne: true
            referencedRelation: "joined"
            referencedColumns: ["id"]
          },
          {
            foreignKeyName: "covers_book_fkey"
            columns: ["book"]
            isOneToOne: true
            referencedRelation: "of_view"
            referencedColumns: ["book_id"]
          },
          {
            foreignKeyName: "covers_book_fkey"
            columns: ["book"]
            isOneToOne: true
            referencedRelation: "of_view_of_view"
            referencedColumns: ["deep"]
          },
          {
            foreignKeyName: "covers_book_fkey"
            columns: ["book"]
            isOneToOne: true
            referencedRelation: "over_shelf"
            referencedColumns: ["id"]
          },
          {
            foreignKeyName: "covers_book_fkey"
            columns: ["book"]
            isOneToOne: true
            referencedRelation: "pairs"
            referencedColumns: ["a"]
          },
          {
            foreignKeyName: "covers_book_fkey"
            columns: ["book"]
            isOneToOne: true
            referencedRelation: "pairs"
            referencedColumns: ["b"]
          },
          {
            foreignKeyName: "covers_book_fkey"
            columns: ["book"]
            isOneToOne: true
            referencedRelation: "plain_books"
            referencedColumns: ["id"]
          },
          {
            foreignKeyName: "covers_book_fkey"
            columns: ["book"]
            isOneToOne: true
            referencedRelation: "renamed"
            referencedColumns: ["book_id"]
          },
          {
            foreignKeyName: "covers_book_fkey"
            columns: ["book"]
            isOneToOne: true
            referencedRelation: "ruled_also"
            referencedColumns: ["id"]
          },
          {
            foreignKeyName: "covers_book_fkey"
            columns: ["book"]
            isOneToOne: true
            referencedRelation: "shelf"
            referencedColumns: ["id"]
          },
          {
            foreignKeyName: "covers_book_fkey"
            columns: ["book"]
            isOneToOne: true
            referencedRelation: "shelf_of_view"
            referencedColumns: ["book_id"]
          },
          {
            foreignKeyName: "covers_book_fkey"
            columns: ["book"]
            isOneToOne: true
            referencedRelation: "sorted"
            referencedColumns: ["id"]
          },
          {
            foreignKeyName: "covers_book_fkey"
            columns: ["book"]
            isOneToOne: true
            referencedRelation: "twice"
            referencedColumns: ["one"]
          },
          {
            foreignKeyName: "covers_book_fkey"
            columns: ["book"]
            isOneToOne: true
            referencedRelation: "twice"
            referencedColumns: ["two"]
          },
          {
            foreignKeyName: "covers_book_fkey"
            columns: ["book"]
            isOneToOne: true
            referencedRelation: "updated"
            referencedColumns: ["id"]
          },
          {
            foreignKeyName: "covers_book_fkey"
            columns: ["book"]
            isOneToOne: true
            referencedRelation: "whole_key"
            referencedColumns: ["id"]
          },
          {
            foreignKeyName: "covers_book_fkey"
            columns: ["book"]
            isOneToOne: true
            referencedRelation: "whole_row"
            referencedColumns: ["id"]
          },
          {
            foreignKeyName: "covers_book_fkey"
            columns: ["book"]
            isOneToOne: true
            referencedRelation: "with_cte"
            referencedColumns: ["id"]
          },
          {
            foreignKeyName: "covers_book_fkey"
            columns: ["book"]
            isOneToOne: true
            referencedRelation: "with_lateral"
            referencedColumns: ["book"]
          },
          {
            foreignKeyName: "covers_book_fkey"
            columns: ["book"]
            isOneToOne: true
            referencedRelation: "with_subquery"
            referencedColumns: ["id"]
          },
          {
            foreignKeyName: "covers_book_fkey"
            columns: ["book"]
            isOneToOne: true
            referencedRelation: "with_window"
            referencedColumns: ["id"]
          },
        ]
      }
      publishers: {
        Row: {
          country: string
          name: string | null
          number: number
        }
        Insert: {
          country: string
          name?: string | null
          number: number
        }
        Update: {
          country?: string
          name?: string | null
          number?: number
        }
        Relationships: []
      }
    }
    Views: {
      all_ways: {
        Row: {
          a: number | null
        }
        Insert: {
          a?: number | null
        }
        Update: {
          a?: number | null
        }
        Relationships: []
      }
      chain: {
        Row: {
          id: number | null
          sequel: number | null
        }
        Relationships: []
      }
      checked: {
        Row: {
          author: number | null
          id: number | null
          title: string | null
        }
        Insert: {
          author?: number | null
          id?: number | null
          title?: string | null
        }
        Update: {
          author?: number | null
          id?: number | null
          title?: string | null
        }
        Relationships: [
          {
            foreignKeyName: "books_author_fkey"
            columns: ["author"]
            isOneToOne: false
            referencedRelation: "authors"
            referencedColumns: ["id"]
          },
          {
            foreignKeyName: "books_author_fkey"
            columns: ["author"]
            isOneToOne: false
            referencedRelation: "joined"
            referencedColumns: ["author_id"]
          },
          {
            foreignKeyName: "books_author_fkey"
            columns: ["author"]
            isOneToOne: false
            referencedRelation: "odd"
            referencedColumns: ["id"]
          },
          {
            foreignKeyName: "books_author_fkey"
            columns: ["author"]
            isOneToOne: false
            referencedRelation: "with_lateral"
            referencedColumns: ["id"]
          },
        ]
      }
      computed: {
        Row: {
          author: number | null
          id: number | null
          title: string | null
        }
        Insert: {
          author?: number | null
          id?: never
          title?: never
        }
        Update: {
          author?: number | null
          id?: never
          title?: never
        }
        Relationships: [
          {
            foreignKeyName: "books_author_fkey"
            columns: ["author"]
            isOneToOne: false
            referencedRelation: "authors"
            referencedColumns: ["id"]
          },
          {
            foreignKeyName: "books_author_fkey"
            columns: ["author"]
            isOneToOne: false
            referencedRelation: "joined"
            referencedColumns: ["author_id"]
          },
          {
            foreignKeyName: "books_author_fkey"
            columns: ["author"]
            isOneToOne: false
            referencedRelation: "odd"
            referencedColumns: ["id"]
          },
          {
            foreignKeyName: "books_author_fkey"
            columns: ["author"]
            isOneToOne: false
            referencedRelation: "with_lateral"
            referencedColumns: ["id"]
          },
        ]
      }
      constants: {
        Row: {
          j: Json | null
          n: string | null
          ns: number[] | null
          one: number | null
          t: string | null
        }
        Relationships: []
      }
      deleted: {
        Row: {
          a: number | null
        }
        Relationships: []
      }
      distinct_authors: {
        Row: {
          author: number | null
        }
        Relationships: [
          {
            foreignKeyName: "books_author_fkey"
            columns: ["author"]
            isOneToOne: false
            referencedRelation: "authors"
            referencedColumns: ["id"]
          },
          {
            foreignKeyName: "books_author_fkey"
            columns: ["author"]
            isOneToOne: false
            referencedRelation: "joined"
            referencedColumns: ["author_id"]
          },
          {
            foreignKeyName: "books_author_fkey"
            columns: ["author"]
            isOneToOne: false
            referencedRelation: "odd"
            referencedColumns: ["id"]
          },
          {
            foreignKeyName: "books_author_fkey"
            columns: ["author"]
            isOneToOne: false
            referencedRelation: "with_lateral"
            referencedColumns: ["id"]
          },
        ]
      }
      editions: {
        Row: {
          book: number | null
          id: number | null
        }
        Insert: {
          book?: number | null
          id?: number | null
        }
        Update: {
          book?: number | null
          id?: number | null
        }
        Relationships: [
          {
            foreignKeyName: "editions_book_fkey"
            columns: ["book"]
            isOneToOne: false
            referencedRelation: "books"
            referencedColumns: ["id"]
          },
          {
            foreignKeyName: "editions_book_fkey"
            columns: ["book"]
            isOneToOne: false
            referencedRelation: "checked"
            referencedColumns: ["id"]
          },
          {
            foreignKeyName: "editions_book_fkey"
            columns: ["book"]
            isOneToOne: false
            referencedRelation: "half_key"
            referencedColumns: ["id"]
          },
          {
            foreignKeyName: "editions_book_fkey"
            columns: ["book"]
            isOneToOne: false
            referencedRelation: "joined"
            referencedColumns: ["id"]
          },
          {
            foreignKeyName: "editions_book_fkey"
            columns: ["book"]
            isOneToOne: false
            referencedRelation: "of_view"
            referencedColumns: ["book_id"]
          },
          {
            foreignKeyName: "editions_book_fkey"
            columns: ["book"]
            isOneToOne: false
            referencedRelation: "of_view_of_view"
            referencedColumns: ["deep"]
          },
          {
            foreignKeyName: "editions_book_fkey"
            columns: ["book"]
            isOneToOne: false
            referencedRelation: "over_shelf"
            referencedColumns: ["id"]
          },
          {
            foreignKeyName: "editions_book_fkey"
            columns: ["book"]
            isOneToOne: false
            referencedRelation: "pairs"
            referencedColumns: ["a"]
          },
          {
            foreignKeyName: "editions_book_fkey"
            columns: ["book"]
            isOneToOne: false
            referencedRelation: "pairs"
            referencedColumns: ["b"]
          },
          {
            foreignKeyName: "editions_book_fkey"
            columns: ["book"]
            isOneToOne: false
            referencedRelation: "plain_books"
            referencedColumns: ["id"]
          },
          {
            foreignKeyName: "editions_book_fkey"
            columns: ["book"]
            isOneToOne: false
            referencedRelation: "renamed"
            referencedColumns: ["book_id"]
          },
          {
            foreignKeyName: "editions_book_fkey"
            columns: ["book"]
            isOneToOne: false
            referencedRelation: "ruled_also"
            referencedColumns: ["id"]
          },
          {
            foreignKeyName: "editions_book_fkey"
            columns: ["book"]
            isOneToOne: false
            referencedRelation: "shelf"
            referencedColumns: ["id"]
          },
          {
            foreignKeyName: "editions_book_fkey"
            columns: ["book"]
            isOneToOne: false
            referencedRelation: "shelf_of_view"
            referencedColumns: ["book_id"]
          },
          {
            foreignKeyName: "editions_book_fkey"
            columns: ["book"]
            isOneToOne: false
            referencedRelation: "sorted"
            referencedColumns: ["id"]
          },
          {
            foreignKeyName: "editions_book_fkey"
            columns: ["book"]
            isOneToOne: false
            referencedRelation: "twice"
            referencedColumns: ["one"]
          },
          {
            foreignKeyName: "editions_book_fkey"
            columns: ["book"]
            isOneToOne: false
            referencedRelation: "twice"
            referencedColumns: ["two"]
          },
          {
            foreignKeyName: "editions_book_fkey"
            columns: ["book"]
            isOneToOne: false
            referencedRelation: "updated"
            referencedColumns: ["id"]
          },
          {
            foreignKeyName: "editions_book_fkey"
            columns: ["book"]
            isOneToOne: false
            referencedRelation: "whole_key"
            referencedColumns: ["id"]
          },
          {
            foreignKeyName: "editions_book_fkey"
            columns: ["book"]
            isOneToOne: false
            referencedRelation: "whole_row"
            referencedColumns: ["id"]
          },
          {
            foreignKeyName: "editions_book_fkey"
            columns: ["book"]
            isOneToOne: false
            referencedRelation: "with_cte"
            referencedColumns: ["id"]
          },
          {
            foreignKeyName: "editions_book_fkey"
            columns: ["book"]
            isOneToOne: false
            referencedRelation: "with_lateral"
            referencedColumns: ["book"]
          },
          {
            foreignKeyName: "editions_book_fkey"
            columns: ["book"]
            isOneToOne: false
            referencedRelation: "with_subquery"
            referencedColumns: ["id"]
          },
          {
            foreignKeyName: "editions_book_fkey"
            columns: ["book"]
            isOneToOne: false
            referencedRelation: "with_window"
            referencedColumns: ["id"]
          },
        ]
      }
      grouped: {
        Row: {
          author: number | null
          books: number | null
        }
        Relationships: [
          {
            foreignKeyName: "books_author_fkey"
            columns: ["author"]
            isOneToOne: false
            referencedRelation: "authors"
            referencedColumns: ["id"]
          },
          {
            foreignKeyName: "books_author_fkey"
            columns: ["author"]
            isOneToOne: false
            referencedRelation: "joined"
            referencedColumns: ["author_id"]
          },
          {
            foreignKeyName: "books_author_fkey"
            columns: ["author"]
            isOneToOne: false
            referencedRelation: "odd"
            referencedColumns: ["id"]
          },
          {
            foreignKeyName: "books_author_fkey"
            columns: ["author"]
            isOneToOne: false
            referencedRelation: "with_lateral"
            referencedColumns: ["id"]
          },
        ]
      }
      half_key: {
        Row: {
          country: string | null
          id: number | null
        }
        Insert: {
          country?: string | null
          id?: number | null
        }
        Update: {
          country?: string | null
          id?: number | null
        }
        Relationships: []
      }
      inserted: {
        Row: {
          a: number | null
          b: number | null
        }
        Insert: {
          a?: number | null
          b?: number | null
        }
        Relationships: []
      }
      joined: {
        Row: {
          author: number | null
          author_id: number | null
          country: string | null
          id: number | null
          name: string | null
          number: number | null
          title: string | null
        }
        Relationships: [
          {
            foreignKeyName: "books_author_fkey"
            columns: ["author"]
            isOneToOne: false
            referencedRelation: "authors"
            referencedColumns: ["id"]
          },
          {
            foreignKeyName: "books_author_fkey"
            columns: ["author"]
            isOneToOne: false
            referencedRelation: "joined"
            referencedColumns: ["author_id"]
          },
          {
            foreignKeyName: "books_author_fkey"
            columns: ["author"]
            isOneToOne: false
            referencedRelation: "odd"
            referencedColumns: ["id"]
          },
          {
            foreignKeyName: "books_author_fkey"
            columns: ["author"]
            isOneToOne: false
            referencedRelation: "with_lateral"
            referencedColumns: ["id"]
          },
        ]
      }
      odd: {
        Row: {
          "{x}": number | null
          id: number | null
          "y, z": number | null
        }
        Insert: {
          "{x}"?: number | null
          id?: number | null
          "y, z"?: number | null
        }
        Update: {
          "{x}"?: number | null
          id?: number | null
          "y, z"?: number | null
        }
        Relationships: []
      }
      of_view: {
        Row: {
          author_id: number | null
          book_id: number | null
        }
        Insert: {
          author_id?: number | null
          book_id?: number | null
        }
        Update: {
          author_id?: number | null
          book_id?: number | null
        }
        Relationships: [
          {
            foreignKeyName: "books_author_fkey"
            columns: ["author_id"]
            isOneToOne: false
            referencedRelation: "authors"
            referencedColumns: ["id"]
          },
          {
            foreignKeyName: "books_author_fkey"
            columns: ["author_id"]
            isOneToOne: false
            referencedRelation: "joined"
            referencedColumns: ["author_id"]
          },
          {
            foreignKeyName: "books_author_fkey"
            columns: ["author_id"]
            isOneToOne: false
            referencedRelation: "odd"
            referencedColumns: ["id"]
          },
          {
            foreignKeyName: "books_author_fkey"
            columns: ["author_id"]
            isOneToOne: false
            referencedRelation: "with_lateral"
            referencedColumns: ["id"]
          },
        ]
      }
      of_view_of_view: {
        Row: {
          deep: number | null
        }
        Insert: {
          deep?: number | null
        }
        Update: {
          deep?: number | null
        }
        Relationships: []
      }
      over_shelf: {
        Row: {
          author: number | null
          id: number | null
        }
        Relationships: [
          {
            foreignKeyName: "books_author_fkey"
            columns: ["author"]
            isOneToOne: false
            referencedRelation: "authors"
            referencedColumns: ["id"]
          },
          {
            foreignKeyName: "books_author_fkey"
            columns: ["author"]
            isOneToOne: false
            referencedRelation: "joined"
            referencedColumns: ["author_id"]
          },
          {
            foreignKeyName: "books_author_fkey"
            columns: ["author"]
            isOneToOne: false
            referencedRelation: "odd"
            referencedColumns: ["id"]
          },
          {
            foreignKeyName: "books_author_fkey"
            columns: ["author"]
            isOneToOne: false
            referencedRelation: "with_lateral"
            referencedColumns: ["id"]
          },
        ]
      }
      pairs: {
        Row: {
          a: number | null
          b: number | null
        }
        Relationships: []
      }
      plain_books: {
        Row: {
          author: number | null
          country: string | null
          doubled: number | null
          editor: number | null
          id: number | null
          number: number | null
          sequel: number | null
          title: string | null
        }
        Insert: {
          author?: number | null
          country?: string | null
          doubled?: number | null
          editor?: number | null
          id?: number | null
          number?: number | null
          sequel?: number | null
          title?: string | null
        }
        Update: {
          author?: number | null
          country?: string | null
          doubled?: number | null
          editor?: number | null
          id?: number | null
          number?: number | null
          sequel?: number | null
          title?: string | null
        }
        Relationships: [
          {
            foreignKeyName: "books_author_fkey"
            columns: ["author"]
            isOneToOne: false
            referencedRelation: "authors"
            referencedColumns: ["id"]
          },
          {
            foreignKeyName: "books_author_fkey"
            columns: ["author"]
            isOneToOne: false
            referencedRelation: "joined"
            referencedColumns: ["author_id"]
          },
          {
            foreignKeyName: "books_author_fkey"
            columns: ["author"]
            isOneToOne: false
            referencedRelation: "odd"
            referencedColumns: ["id"]
          },
          {
            foreignKeyName: "books_author_fkey"
            columns: ["author"]
            isOneToOne: false
            referencedRelation: "with_lateral"
            referencedColumns: ["id"]
          },
          {
            foreignKeyName: "books_country_number_fkey"
            columns: ["country", "number"]
            isOneToOne: false
            referencedRelation: "joined"
            referencedColumns: ["country", "number"]
          },
          {
            foreignKeyName: "books_country_number_fkey"
            columns: ["country", "number"]
            isOneToOne: false
            referencedRelation: "publishers"
            referencedColumns: ["country", "number"]
          },
          {
            foreignKeyName: "books_editor_fkey"
            columns: ["editor"]
            isOneToOne: false
            referencedRelation: "authors"
            referencedColumns: ["id"]
          },
          {
            foreignKeyName: "books_editor_fkey"
            columns: ["editor"]
            isOneToOne: false
            referencedRelation: "joined"
            referencedColumns: ["author_id"]
          },
          {
            foreignKeyName: "books_editor_fkey"
            columns: ["editor"]
            isOneToOne: false
            referencedRelation: "odd"
            referencedColumns: ["id"]
          },
          {
            foreignKeyName: "books_editor_fkey"
            columns: ["editor"]
            isOneToOne: false
            referencedRelation: "with_lateral"
            referencedColumns: ["id"]
          },
          {
            foreignKeyName: "books_sequel_fkey"
            columns: ["sequel"]
            isOneToOne: true
            referencedRelation: "books"
            referencedColumns: ["id"]
          },
          {
            foreignKeyName: "books_sequel_fkey"
            columns: ["sequel"]
            isOneToOne: true
            referencedRelation: "checked"
            referencedColumns: ["id"]
          },
          {
            foreignKeyName: "books_sequel_fkey"
            columns: ["sequel"]
            isOneToOne: true
            referencedRelation: "half_key"
            referencedColumns: ["id"]
          },
          {
            foreignKeyName: "books_sequel_fkey"
            columns: ["sequel"]
            isOneToOne: true
            referencedRelation: "joined"
            referencedColumns: ["id"]
          },
          {
            foreignKeyName: "books_sequel_fkey"
            columns: ["sequel"]
            isOneToOne: true
            referencedRelation: "of_view"
            referencedColumns: ["book_id"]
          },
          {
            foreignKeyName: "books_sequel_fkey"
            columns: ["sequel"]
            isOneToOne: true
            referencedRelation: "of_view_of_view"
            referencedColumns: ["deep"]
          },
          {
            foreignKeyName: "books_sequel_fkey"
            columns: ["sequel"]
            isOneToOne: true
            referencedRelation: "over_shelf"
            referencedColumns: ["id"]
          },
          {
            foreignKeyName: "books_sequel_fkey"
            columns: ["sequel"]
            isOneToOne: true
            referencedRelation: "pairs"
            referencedColumns: ["a"]
          },
          {
            foreignKeyName: "books_sequel_fkey"
            columns: ["sequel"]
            isOneToOne: true
            referencedRelation: "pairs"
            referencedColumns: ["b"]
          },
          {
            foreignKeyName: "books_sequel_fkey"
            columns: ["sequel"]
            isOneToOne: true
            referencedRelation: "plain_books"
            referencedColumns: ["id"]
          },
          {
            foreignKeyName: "books_sequel_fkey"
            columns: ["sequel"]
            isOneToOne: true
            referencedRelation: "renamed"
            referencedColumns: ["book_id"]
          },
          {
            foreignKeyName: "books_sequel_fkey"
            columns: ["sequel"]
            isOneToOne: true
            referencedRelation: "ruled_also"
            referencedColumns: ["id"]
          },
          {
            foreignKeyName: "books_sequel_fkey"
            columns: ["sequel"]
            isOneToOne: true
            referencedRelation: "shelf"
            referencedColumns: ["id"]
          },
          {
            foreignKeyName: "books_sequel_fkey"
            columns: ["sequel"]
            isOneToOne: true
            referencedRelation: "shelf_of_view"
            referencedColumns: ["book_id"]
          },
          {
            foreignKeyName: "books_sequel_fkey"
            columns: ["sequel"]
            isOneToOne: true
            referencedRelation: "sorted"
            referencedColumns: ["id"]
          },
          {
            foreignKeyName: "books_sequel_fkey"
            columns: ["sequel"]
            isOneToOne: true
            referencedRelation: "twice"
            referencedColumns: ["one"]
          },
          {
            foreignKeyName: "books_sequel_fkey"
            columns: ["sequel"]
            isOneToOne: true
            referencedRelation: "twice"
            referencedColumns: ["two"]
          },
          {
            foreignKeyName: "books_sequel_fkey"
            columns: ["sequel"]
            isOneToOne: true
            referencedRelation: "updated"
            referencedColumns: ["id"]
          },
          {
            foreignKeyName: "books_sequel_fkey"
            columns: ["sequel"]
            isOneToOne: true
            referencedRelation: "whole_key"
            referencedColumns: ["id"]
          },
          {
            foreignKeyName: "books_sequel_fkey"
            columns: ["sequel"]
            isOneToOne: true
            referencedRelation: "whole_row"
            referencedColumns: ["id"]
          },
          {
            foreignKeyName: "books_sequel_fkey"
            columns: ["sequel"]
            isOneToOne: true
            referencedRelation: "with_cte"
            referencedColumns: ["id"]
          },
          {
            foreignKeyName: "books_sequel_fkey"
            columns: ["sequel"]
            isOneToOne: true
            referencedRelation: "with_lateral"
            referencedColumns: ["book"]
          },
          {
            foreignKeyName: "books_sequel_fkey"
            columns: ["sequel"]
            isOneToOne: true
            referencedRelation: "with_subquery"
            referencedColumns: ["id"]
          },
          {
            foreignKeyName: "books_sequel_fkey"
            columns: ["sequel"]
            isOneToOne: true
            referencedRelation: "with_window"
            referencedColumns: ["id"]
          },
        ]
      }
      renamed: {
        Row: {
          author_id: number | null
          book_id: number | null
          edited_by: number | null
        }
        Insert: {
          author_id?: number | null
          book_id?: number | null
          edited_by?: number | null
        }
        Update: {
          author_id?: number | null
          book_id?: number | null
          edited_by?: number | null
        }
        Relationships: [
          {
            foreignKeyName: "books_author_fkey"
            columns: ["author_id"]
            isOneToOne: false
            referencedRelation: "authors"
            referencedColumns: ["id"]
          },
          {
            foreignKeyName: "books_author_fkey"
            columns: ["author_id"]
            isOneToOne: false
            referencedRelation: "joined"
            referencedColumns: ["author_id"]
          },
          {
            foreignKeyName: "books_author_fkey"
            columns: ["author_id"]
            isOneToOne: false
            referencedRelation: "odd"
            referencedColumns: ["id"]
          },
          {
            foreignKeyName: "books_author_fkey"
            columns: ["author_id"]
            isOneToOne: false
            referencedRelation: "with_lateral"
            referencedColumns: ["id"]
          },
          {
            foreignKeyName: "books_editor_fkey"
            columns: ["edited_by"]
            isOneToOne: false
            referencedRelation: "authors"
            referencedColumns: ["id"]
          },
          {
            foreignKeyName: "books_editor_fkey"
            columns: ["edited_by"]
            isOneToOne: false
            referencedRelation: "joined"
            referencedColumns: ["author_id"]
          },
          {
            foreignKeyName: "books_editor_fkey"
            columns: ["edited_by"]
            isOneToOne: false
            referencedRelation: "odd"
            referencedColumns: ["id"]
          },
          {
            foreignKeyName: "books_editor_fkey"
            columns: ["edited_by"]
            isOneToOne: false
            referencedRelation: "with_lateral"
            referencedColumns: ["id"]
          },
        ]
      }
      ruled: {
        Row: {
          a: number | null
          b: number | null
        }
        Insert: {
          a?: number | null
          b?: number | null
        }
        Relationships: []
      }
      ruled_also: {
        Row: {
          id: number | null
          title: string | null
        }
        Insert: {
          id?: number | null
          title?: string | null
        }
        Update: {
          id?: number | null
          title?: string | null
        }
        Relationships: []
      }
      ruled_if: {
        Row: {
          a: number | null
        }
        Relationships: []
      }
      ruled_update: {
        Row: {
          a: number | null
        }
        Update: {
          a?: number | null
        }
        Relationships: []
      }
      security: {
        Row: {
          book: number | null
          image: string | null
        }
        Insert: {
          book?: number | null
          image?: string | null
        }
        Update: {
          book?: number | null
          image?: string | null
        }
        Relationships: [
          {
            foreignKeyName: "covers_book_fkey"
            columns: ["book"]
            isOneToOne: true
            referencedRelation: "books"
            referencedColumns: ["id"]
          },
          {
            foreignKeyName: "covers_book_fkey"
            columns: ["book"]
            isOneToOne: true
            referencedRelation: "checked"
            referencedColumns: ["id"]
          },
          {
            foreignKeyName: "covers_book_fkey"
            columns: ["book"]
            isOneToOne: true
            referencedRelation: "half_key"
            referencedColumns: ["id"]
          },
          {
            foreignKeyName: "covers_book_fkey"
            columns: ["book"]
            isOneToOne: true
            referencedRelation: "joined"
            referencedColumns: ["id"]
          },
          {
            foreignKeyName: "covers_book_fkey"
            columns: ["book"]
            isOneToOne: true
            referencedRelation: "of_view"
            referencedColumns: ["book_id"]
          },
          {
            foreignKeyName: "covers_book_fkey"
            columns: ["book"]
            isOneToOne: true
            referencedRelation: "of_view_of_view"
            referencedColumns: ["deep"]
          },
          {
            foreignKeyName: "covers_book_fkey"
            columns: ["book"]
            isOneToOne: true
            referencedRelation: "over_shelf"
            referencedColumns: ["id"]
          },
          {
            foreignKeyName: "covers_book_fkey"
            columns: ["book"]
            isOneToOne: true
            referencedRelation: "pairs"
            referencedColumns: ["a"]
          },
          {
            foreignKeyName: "covers_book_fkey"
            columns: ["book"]
            isOneToOne: true
            referencedRelation: "pairs"
            referencedColumns: ["b"]
          },
          {
            foreignKeyName: "covers_book_fkey"
            columns: ["book"]
            isOneToOne: true
            referencedRelation: "plain_books"
            referencedColumns: ["id"]
          },
          {
            foreignKeyName: "covers_book_fkey"
            columns: ["book"]
            isOneToOne: true
            referencedRelation: "renamed"
            referencedColumns: ["book_id"]
          },
          {
            foreignKeyName: "covers_book_fkey"
            columns: ["book"]
            isOneToOne: true
            referencedRelation: "ruled_also"
            referencedColumns: ["id"]
          },
          {
            foreignKeyName: "covers_book_fkey"
            columns: ["book"]
            isOneToOne: true
            referencedRelation: "shelf"
            referencedColumns: ["id"]
          },
          {
            foreignKeyName: "covers_book_fkey"
            columns: ["book"]
            isOneToOne: true
            referencedRelation: "shelf_of_view"
            referencedColumns: ["book_id"]
          },
          {
            foreignKeyName: "covers_book_fkey"
            columns: ["book"]
            isOneToOne: true
            referencedRelation: "sorted"
            referencedColumns: ["id"]
          },
          {
            foreignKeyName: "covers_book_fkey"
            columns: ["book"]
            isOneToOne: true
            referencedRelation: "twice"
            referencedColumns: ["one"]
          },
          {
            foreignKeyName: "covers_book_fkey"
            columns: ["book"]
            isOneToOne: true
            referencedRelation: "twice"
            referencedColumns: ["two"]
          },
          {
            foreignKeyName: "covers_book_fkey"
            columns: ["book"]
            isOneToOne: true
            referencedRelation: "updated"
            referencedColumns: ["id"]
          },
          {
            foreignKeyName: "covers_book_fkey"
            columns: ["book"]
            isOneToOne: true
            referencedRelation: "whole_key"
            referencedColumns: ["id"]
          },
          {
            foreignKeyName: "covers_book_fkey"
            columns: ["book"]
            isOneToOne: true
            referencedRelation: "whole_row"
            referencedColumns: ["id"]
          },
          {
            foreignKeyName: "covers_book_fkey"
            columns: ["book"]
            isOneToOne: true
            referencedRelation: "with_cte"
            referencedColumns: ["id"]
          },
          {
            foreignKeyName: "covers_book_fkey"
            columns: ["book"]
            isOneToOne: true
            referencedRelation: "with_lateral"
            referencedColumns: ["book"]
          },
          {
            foreignKeyName: "covers_book_fkey"
            columns: ["book"]
            isOneToOne: true
            referencedRelation: "with_subquery"
            referencedColumns: ["id"]
          },
          {
            foreignKeyName: "covers_book_fkey"
            columns: ["book"]
            isOneToOne: true
            referencedRelation: "with_window"
            referencedColumns: ["id"]
          },
        ]
      }
      shelf: {
        Row: {
          author: number | null
          id: number | null
          title: string | null
        }
        Relationships: [
          {
            foreignKeyName: "books_author_fkey"
            columns: ["author"]
            isOneToOne: false
            referencedRelation: "authors"
            referencedColumns: ["id"]
          },
          {
            foreignKeyName: "books_author_fkey"
            columns: ["author"]
            isOneToOne: false
            referencedRelation: "joined"
            referencedColumns: ["author_id"]
          },
          {
            foreignKeyName: "books_author_fkey"
            columns: ["author"]
            isOneToOne: false
            referencedRelation: "odd"
            referencedColumns: ["id"]
          },
          {
            foreignKeyName: "books_author_fkey"
            columns: ["author"]
            isOneToOne: false
            referencedRelation: "with_lateral"
            referencedColumns: ["id"]
          },
        ]
      }
      shelf_of_view: {
        Row: {
          author_id: number | null
          book_id: number | null
        }
        Relationships: [
          {
            foreignKeyName: "books_author_fkey"
            columns: ["author_id"]
            isOneToOne: false
            referencedRelation: "authors"
            referencedColumns: ["id"]
          },
          {
            foreignKeyName: "books_author_fkey"
            columns: ["author_id"]
            isOneToOne: false
            referencedRelation: "joined"
            referencedColumns: ["author_id"]
          },
          {
            foreignKeyName: "books_author_fkey"
            columns: ["author_id"]
            isOneToOne: false
            referencedRelation: "odd"
            referencedColumns: ["id"]
          },
          {
            foreignKeyName: "books_author_fkey"
            columns: ["author_id"]
            isOneToOne: false
            referencedRelation: "with_lateral"
            referencedColumns: ["id"]
          },
        ]
      }
      sorted: {
        Row: {
          author: number | null
          id: number | null
        }
        Insert: {
          author?: number | null
          id?: number | null
        }
        Update: {
          author?: number | null
          id?: number | null
        }
        Relationships: [
          {
            foreignKeyName: "books_author_fkey"
            columns: ["author"]
            isOneToOne: false
            referencedRelation: "authors"
            referencedColumns: ["id"]
          },
          {
            foreignKeyName: "books_author_fkey"
            columns: ["author"]
            isOneToOne: false
            referencedRelation: "joined"
            referencedColumns: ["author_id"]
          },
          {
            foreignKeyName: "books_author_fkey"
            columns: ["author"]
            isOneToOne: false
            referencedRelation: "odd"
            referencedColumns: ["id"]
          },
          {
            foreignKeyName: "books_author_fkey"
            columns: ["author"]
            isOneToOne: false
            referencedRelation: "with_lateral"
            referencedColumns: ["id"]
          },
        ]
      }
      through_hidden: {
        Row: {
          author: number | null
          id: number | null
        }
        Insert: {
          author?: number | null
          id?: number | null
        }
        Update: {
          author?: number | null
          id?: number | null
        }
        Relationships: []
      }
      twice: {
        Row: {
          a1: number | null
          one: number | null
          title: string | null
          two: number | null
        }
        Insert: {
          a1?: number | null
          one?: number | null
          title?: string | null
          two?: number | null
        }
        Update: {
          a1?: number | null
          one?: number | null
          title?: string | null
          two?: number | null
        }
        Relationships: [
          {
            foreignKeyName: "books_author_fkey"
            columns: ["a1"]
            isOneToOne: false
            referencedRelation: "authors"
            referencedColumns: ["id"]
          },
          {
            foreignKeyName: "books_author_fkey"
            columns: ["a1"]
            isOneToOne: false
            referencedRelation: "joined"
            referencedColumns: ["author_id"]
          },
          {
            foreignKeyName: "books_author_fkey"
            columns: ["a1"]
            isOneToOne: false
            referencedRelation: "odd"
            referencedColumns: ["id"]
          },
          {
            foreignKeyName: "books_author_fkey"
            columns: ["a1"]
            isOneToOne: false
            referencedRelation: "with_lateral"
            referencedColumns: ["id"]
          },
        ]
      }
      unioned: {
        Row: {
          author: number | null
          id: number | null
        }
        Relationships: []
      }
      updated: {
        Row: {
          id: number | null
          n: number | null
        }
        Update: {
          id?: number | null
          n?: number | null
        }
        Relationships: []
      }
      whole_key: {
        Row: {
          c: string | null
          id: number | null
          n: number | null
        }
        Insert: {
          c?: string | null
          id?: number | null
          n?: number | null
        }
        Update: {
          c?: string | null
          id?: number | null
          n?: number | null
        }
        Relationships: [
          {
            foreignKeyName: "books_country_number_fkey"
            columns: ["c", "n"]
            isOneToOne: false
            referencedRelation: "joined"
            referencedColumns: ["country", "number"]
          },
          {
            foreignKeyName: "books_country_number_fkey"
            columns: ["c", "n"]
            isOneToOne: false
            referencedRelation: "publishers"
            referencedColumns: ["country", "number"]
          },
        ]
      }
      whole_row: {
        Row: {
          b: Database["public"]["Tables"]["books"]["Row"] | null
          id: number | null
        }
        Insert: {
          b?: never
          id?: number | null
        }
        Update: {
          b?: never
          id?: number | null
        }
        Relationships: []
      }
      with_cte: {
        Row: {
          author: number | null
          id: number | null
        }
        Relationships: [
          {
            foreignKeyName: "books_author_fkey"
            columns: ["author"]
            isOneToOne: false
            referencedRelation: "authors"
            referencedColumns: ["id"]
          },
          {
            foreignKeyName: "books_author_fkey"
            columns: ["author"]
            isOneToOne: false
            referencedRelation: "joined"
            referencedColumns: ["author_id"]
          },
          {
            foreignKeyName: "books_author_fkey"
            columns: ["author"]
            isOneToOne: false
            referencedRelation: "odd"
            referencedColumns: ["id"]
          },
          {
            foreignKeyName: "books_author_fkey"
            columns: ["author"]
            isOneToOne: false
            referencedRelation: "with_lateral"
            referencedColumns: ["id"]
          },
        ]
      }
      with_lateral: {
        Row: {
          book: number | null
          id: number | null
          title: string | null
        }
        Relationships: []
      }
      with_subquery: {
        Row: {
          author: number | null
          id: number | null
          name: string | null
        }
        Relationships: [
          {
            foreignKeyName: "books_author_fkey"
            columns: ["author"]
            isOneToOne: false
            referencedRelation: "authors"
            referencedColumns: ["id"]
          },
          {
            foreignKeyName: "books_author_fkey"
            columns: ["author"]
            isOneToOne: false
            referencedRelation: "joined"
            referencedColumns: ["author_id"]
          },
          {
            foreignKeyName: "books_author_fkey"
            columns: ["author"]
            isOneToOne: false
            referencedRelation: "odd"
            referencedColumns: ["id"]
          },
          {
            foreignKeyName: "books_author_fkey"
            columns: ["author"]
            isOneToOne: false
            referencedRelation: "with_lateral"
            referencedColumns: ["id"]
          },
        ]
      }
      with_window: {
        Row: {
          author: number | null
          id: number | null
          row_number: number | null
        }
        Relationships: [
          {
            foreignKeyName: "books_author_fkey"
            columns: ["author"]
            isOneToOne: false
            referencedRelation: "authors"
            referencedColumns: ["id"]
          },
          {
            foreignKeyName: "books_author_fkey"
            columns: ["author"]
            isOneToOne: false
            referencedRelation: "joined"
            referencedColumns: ["author_id"]
          },
          {
            foreignKeyName: "books_author_fkey"
            columns: ["author"]
            isOneToOne: false
            referencedRelation: "odd"
            referencedColumns: ["id"]
          },
          {
            foreignKeyName: "books_author_fkey"
            columns: ["author"]
            isOneToOne: false
            referencedRelation: "with_lateral"
            referencedColumns: ["id"]
          },
        ]
      }
    }
    Functions: {
      [_ in never]: never
    }
    Enums: {
      [_ in never]: never
    }
    CompositeTypes: {
      [_ in never]: never
    }
  }
}

type DatabaseWithoutInternals = Omit<Database, "__InternalSupabase">

type DefaultSchema = DatabaseWithoutInternals[Extract<keyof Database, "public">]

export type Tables<
  DefaultSchemaTableNameOrOptions extends
    | keyof (DefaultSchema["Tables"] & DefaultSchema["Views"])
    | { schema: keyof DatabaseWithoutInternals },
  TableName extends (DefaultSchemaTableNameOrOptions extends {
    schema: keyof DatabaseWithoutInternals
  }
    ? keyof (DatabaseWithoutInternals[DefaultSchemaTableNameOrOptions["schema"]]["Tables"] &
        DatabaseWithoutInternals[DefaultSchemaTableNameOrOptions["schema"]]["Views"])
    : never) = never,
> = DefaultSchemaTableNameOrOptions extends {
  schema: keyof DatabaseWithoutInternals
}
  ? (DatabaseWithoutInternals[DefaultSchemaTableNameOrOptions["schema"]]["Tables"] &
      DatabaseWithoutInternals[DefaultSchemaTableNameOrOptions["schema"]]["Views"])[TableName] extends {
      Row: infer R
    }
    ? R
    : never
  : DefaultSchemaTableNameOrOptions extends keyof (DefaultSchema["Tables"] &
        DefaultSchema["Views"])
    ? (DefaultSchema["Tables"] &
        DefaultSchema["Views"])[DefaultSchemaTableNameOrOptions] extends {
        Row: infer R
      }
      ? R
      : never
    : never

export type TablesInsert<
  DefaultSchemaTableNameOrOptions extends
    | keyof DefaultSchema["Tables"]
    | { schema: keyof DatabaseWithoutInternals },
  TableName extends (DefaultSchemaTableNameOrOptions extends {
    schema: keyof DatabaseWithoutInternals
  }
    ? keyof DatabaseWithoutInternals[DefaultSchemaTableNameOrOptions["schema"]]["Tables"]
    : never) = never,
> = DefaultSchemaTableNameOrOptions extends {
  schema: keyof DatabaseWithoutInternals
}
  ? DatabaseWithoutInternals[DefaultSchemaTableNameOrOptions["schema"]]["Tables"][TableName] extends {
      Insert: infer I
    }
    ? I
    : never
  : DefaultSchemaTableNameOrOptions extends keyof DefaultSchema["Tables"]
    ? DefaultSchema["Tables"][DefaultSchemaTableNameOrOptions] extends {
        Insert: infer I
      }
      ? I
      : never
    : never

export type TablesUpdate<
  DefaultSchemaTableNameOrOptions extends
    | keyof DefaultSchema["Tables"]
    | { schema: keyof DatabaseWithoutInternals },
  TableName extends (DefaultSchemaTableNameOrOptions extends {
    schema: keyof DatabaseWithoutInternals
  }
    ? keyof DatabaseWithoutInternals[DefaultSchemaTableNameOrOptions["schema"]]["Tables"]
    : never) = never,
> = DefaultSchemaTableNameOrOptions extends {
  schema: keyof DatabaseWithoutInternals
}
  ? DatabaseWithoutInternals[DefaultSchemaTableNameOrOptions["schema"]]["Tables"][TableName] extends {
      Update: infer U
    }
    ? U
    : never
  : DefaultSchemaTableNameOrOptions extends keyof DefaultSchema["Tables"]
    ? DefaultSchema["Tables"][DefaultSchemaTableNameOrOptions] extends {
        Update: infer U
      }
      ? U
      : never
    : never

export type Enums<
  DefaultSchemaEnumNameOrOptions extends
    | keyof DefaultSchema["Enums"]
    | { schema: keyof DatabaseWithoutInternals },
  EnumName extends (DefaultSchemaEnumNameOrOptions extends {
    schema: keyof DatabaseWithoutInternals
  }
    ? keyof DatabaseWithoutInternals[DefaultSchemaEnumNameOrOptions["schema"]]["Enums"]
    : never) = never,
> = DefaultSchemaEnumNameOrOptions extends {
  schema: keyof DatabaseWithoutInternals
}
  ? DatabaseWithoutInternals[DefaultSchemaEnumNameOrOptions["schema"]]["Enums"][EnumName]
  : DefaultSchemaEnumNameOrOptions extends keyof DefaultSchema["Enums"]
    ? DefaultSchema["Enums"][DefaultSchemaEnumNameOrOptions]
    : never

export type CompositeTypes<
  PublicCompositeTypeNameOrOptions extends
    | keyof DefaultSchema["CompositeTypes"]
    | { schema: keyof DatabaseWithoutInternals },
  CompositeTypeName extends (PublicCompositeTypeNameOrOptions extends {
    schema: keyof DatabaseWithoutInternals
  }
    ? keyof DatabaseWithoutInternals[PublicCompositeTypeNameOrOptions["schema"]]["CompositeTypes"]
    : never) = never,
> = PublicCompositeTypeNameOrOptions extends {
  schema: keyof DatabaseWithoutInternals
}
  ? DatabaseWithoutInternals[PublicCompositeTypeNameOrOptions["schema"]]["CompositeTypes"][CompositeTypeName]
  : PublicCompositeTypeNameOrOptions extends keyof DefaultSchema["CompositeTypes"]
    ? DefaultSchema["CompositeTypes"][PublicCompositeTypeNameOrOptions]
    : never

export const Constants = {
  other: {
    Enums: {},
  },
  public: {
    Enums: {},
  },
} as const
